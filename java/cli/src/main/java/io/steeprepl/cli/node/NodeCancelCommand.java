package io.steeprepl.cli.node;

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
            "Ends a start of this node, or a preparation made on it; node progress has their ids. Tables that a start has",
            "taken over stay and replicate; node start goes on from there."
        },
        footer = {"  steep-repl node cancel 1", "  steep-repl node cancel f95107a6-8515-4001-b9e6-a513b3911c24"})
final class NodeCancelCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "The number of a start, or the id of a preparation.")
    private String id = "";

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        if (id.chars().allMatch(Character::isDigit)) {
            String state = node.start().cancel(Long.parseLong(id));
            out.done("start %s is %s".formatted(id, state), Map.of("id", id, "state", state));
            return ExitCode.OK;
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
}
