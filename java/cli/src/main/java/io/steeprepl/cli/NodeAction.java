package io.steeprepl.cli;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.output.Output;

/** A command on the node that the common options name. Ctrl-C cancels the call in the server. */
public abstract class NodeAction extends Action {
    /** Does it. */
    protected abstract ExitCode run(SteepRepl node, Output out);

    /** Checks what the user wrote, before anything is connected. Throws {@link ApiException.Usage}. */
    protected void check() {}

    @Override
    protected final ExitCode run(Output out) {
        check();
        try (SteepRepl node = open(out);
                Interrupt.Registration _ = Interrupt.onInterrupt(node::cancel)) {
            return run(node, out);
        }
    }
}
