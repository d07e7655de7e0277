package io.steeprepl.cli.work;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code work cancel}. */
@Command(
        name = "cancel",
        description =
                "Ends work that waits or runs, or that failed half way, whoever asked for it. Nothing half-made is"
                        + " left behind.",
        footer = "  steep-repl work cancel 3")
final class WorkCancelCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "Its number, see work list.")
    private long id;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        Cancelling.say(id, node.work().cancel(id), out);
        return ExitCode.OK;
    }
}
