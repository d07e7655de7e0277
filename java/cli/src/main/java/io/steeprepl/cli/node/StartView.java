package io.steeprepl.cli.node;

import io.steeprepl.api.StartProgress;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;

/** How progress is shown: a bar on a terminal, lines elsewhere, JSON for programs. */
sealed interface StartView permits StartBar, StartLines, StartJson {
    /** Shows how far it is now; called several times a second. */
    void show(StartProgress now);

    /** Shows how it ended. */
    void end(StartProgress last);

    /** The view that suits. */
    static StartView forOutput(Output out) {
        if (out.json()) {
            return new StartJson(out);
        }
        return Terminal.interactive() ? new StartBar(out) : new StartLines(out);
    }
}
