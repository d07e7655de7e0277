package io.steeprepl.cli.audit;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.Durations;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code audit prune}. */
@Command(
        name = "prune",
        description = "Removes old entries from the audit log; that is audited itself.",
        footer = "  steep-repl audit prune --older-than 2y")
final class AuditPruneCommand extends NodeAction {
    @Option(
            names = "--older-than",
            paramLabel = "DURATION",
            required = true,
            description = "How old an entry must be to go: 90s, 30m, 12h, 30d, 6w, 2y.")
    private String olderThan = "";

    @Override
    protected void check() {
        Durations.parse(olderThan);
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        long pruned = node.audit().prune(Durations.parse(olderThan));
        out.done("%d entries removed".formatted(pruned), Map.of("pruned", pruned));
        return ExitCode.OK;
    }
}
