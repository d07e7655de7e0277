package io.steeprepl.cli;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.output.Output;

/** A command on the node that the common options name. Ctrl-C cancels the call in the server. */
public abstract class NodeAction extends Action {
    /** Does it. */
    protected abstract ExitCode run(SteepRepl node, Output out);

    @Override
    protected final ExitCode run(Output out) {
        try (SteepRepl node = connect(connection(), out);
                Interrupt.Registration _ = Interrupt.onInterrupt(node::cancel)) {
            return run(node, out);
        }
    }
}
