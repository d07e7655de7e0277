package io.steeprepl.cli.conflict;

import io.steeprepl.api.ConflictReplay;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplayOptions;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.Durations;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code conflict replay}. */
@Command(
        name = "replay",
        description = {
            "What another strategy would have decided about the conflicts in this node's log. Changes nothing.",
            "Each is replayed by itself, as if the ones before it had ended as they did."
        },
        footer = {
            "  steep-repl conflict replay first_write_wins --table shop.orders --since 30d",
            "  steep-repl conflict replay node_priority --priority berlin,paris -o json"
        })
final class ConflictReplayCommand extends NodeAction {
    private static final List<Column<ConflictReplay>> COUNTS = List.of(
            Column.of("table_schema", r -> r.table().schema()),
            Column.of("table_name", r -> r.table().name()),
            Column.of("conflict_type", ConflictReplay::kind),
            Column.of("conflicts", ConflictReplay::conflicts),
            Column.of("would_differ", ConflictReplay::wouldDiffer),
            Column.of("would_wait", ConflictReplay::wouldWait),
            Column.of("not_readable", ConflictReplay::notReadable));

    @Parameters(paramLabel = "STRATEGY", description = "The other strategy, see conflict strategy.")
    private String strategy = "";

    @Option(names = "--table", paramLabel = "TABLE", description = "Only of this table: orders, shop.orders.")
    private @Nullable String table;

    @Option(names = "--since", paramLabel = "DURATION", description = "Only what is newer: 90s, 30m, 12h, 30d, 6w, 2y.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "DURATION", description = "Only what is older than that.")
    private @Nullable String until;

    @Option(
            names = "--priority",
            paramLabel = "NODE",
            split = ",",
            description = "For node_priority: node ids, the first wins.")
    private List<String> priority = List.of();

    @Override
    protected void check() {
        options();
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        List<ConflictReplay> replayed = node.conflicts().replay(options());
        List<Column<ConflictReplay>> columns = new ArrayList<>(COUNTS);
        if (out.json()) {
            columns.add(Column.of("examples", r -> Json.Raw.of(r.examples())));
        }
        out.list(columns, replayed, "no conflicts to replay");
        if (!out.json()) {
            long differ =
                    replayed.stream().mapToLong(ConflictReplay::wouldDiffer).sum();
            long all = replayed.stream().mapToLong(ConflictReplay::conflicts).sum();
            out.text("\nUnder %s %d of %d conflicts would have ended otherwise.\n".formatted(strategy, differ, all));
            replayed.forEach(r -> ReplayExamples.lines(r).forEach(line -> out.text(line + "\n")));
        }
        return ExitCode.OK;
    }

    private ReplayOptions options() {
        return new ReplayOptions(
                strategy,
                table == null ? null : QualifiedName.parse(table),
                since == null ? null : Durations.parse(since),
                until == null ? null : Durations.parse(until),
                priority);
    }
}
