package io.steeprepl.cli.node;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReinitApi;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code node cancel}. */
@Command(
        name = "cancel",
        description = {
            "Ends a start of this node, tables that it takes anew, or a preparation made on it; node progress has their ids. Tables",
            "that have been taken over stay and replicate; node start, or node reinit, goes on with the rest. Tables that node reinit",
            "has emptied take no writes here until then."
        },
        footer = {"  steep-repl node cancel 1", "  steep-repl node cancel f95107a6-8515-4001-b9e6-a513b3911c24"})
final class NodeCancelCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "The number of a start or reinit, or the id of a preparation.")
    private String id = "";

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        if (id.chars().allMatch(Character::isDigit)) {
            return takeOver(node, Long.parseLong(id), out);
        }
        List<String> missed = node.start().cancelPreparation(id);
        out.done(
                "preparation %s is cancelled".formatted(id),
                Map.of("id", id, "state", "cancelled", "not_reached", missed));
        if (!missed.isEmpty()) {
            out.warn("not reached, so that theirs goes on until it expires: " + String.join(", ", missed));
            return ExitCode.FAILED;
        }
        return ExitCode.OK;
    }

    private static ExitCode takeOver(SteepRepl node, long id, Output out) {
        if (node.reinit().progress(id).isEmpty()) {
            String state = node.start().cancel(id);
            out.done("start %d is %s".formatted(id, state), Map.of("id", Long.toString(id), "state", state));
            return ExitCode.OK;
        }
        ReinitApi.Cancelled cancelled = node.reinit().cancel(id);
        List<String> closed =
                cancelled.closed().stream().map(QualifiedName::toString).toList();
        out.done(
                "reinit %d is %s".formatted(id, cancelled.state())
                        + (closed.isEmpty() ? "; its tables replicate on" : ""),
                Map.of("id", Long.toString(id), "state", cancelled.state(), "closed", closed));
        if (!closed.isEmpty()) {
            out.warn("empty here, and without writes, until node reinit has taken them anew: "
                    + String.join(", ", closed));
        }
        return ExitCode.OK;
    }
}
