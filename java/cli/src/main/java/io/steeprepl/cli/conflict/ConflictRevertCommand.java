package io.steeprepl.cli.conflict;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code conflict revert}. */
@Command(
        name = "revert",
        description = {
            "Takes a decision back, automatic or by hand, on all nodes: the row that lost is written again.",
            "That makes an entry of its own, which can be reverted, too."
        },
        footer = {
            "  steep-repl conflict revert 42 --reason 'the customer called'",
            "  steep-repl conflict revert 42 -o json"
        })
final class ConflictRevertCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "The number of the conflict on this node, see conflict list.")
    private long id;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why. Default: ${DEFAULT-VALUE}.")
    private String reason = "Manual revert";

    @Option(names = "--force", description = "Also when the row has changed since.")
    private boolean force;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        long entry = node.conflicts().revert(id, reason, force);
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("id", id);
        done.put("resolution", "REVERTED");
        done.put("entry", entry);
        out.done("Conflict %d is REVERTED, on all nodes; the entry of that is %d.".formatted(id, entry), done);
        return ExitCode.OK;
    }
}
