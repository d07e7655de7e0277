package io.steeprepl.cli.snapshot;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.work.Cancelling;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code snapshot cancel}. */
@Command(
        name = "cancel",
        description = {
            "Ends the taking or loading of a snapshot, or gives up loading that failed half way. Nothing of it is"
                    + " left: rows",
            "that were loaded are taken away, and no others."
        },
        footer = "  steep-repl snapshot cancel 3")
final class SnapshotCancelCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "The number of the work, see snapshot progress.")
    private long id;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        Cancelling.say(id, node.snapshots().cancel(id), out);
        return ExitCode.OK;
    }
}
