package io.steeprepl.cli.conflict;

import io.steeprepl.api.ConflictCount;
import io.steeprepl.api.ConflictCount.NativeCounters;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** {@code conflict stats}. */
@Command(
        name = "stats",
        description = {
            "How many conflicts there were, by kind, table and peer; PER MINUTE is that of the last five minutes.",
            "Below, by peer, what PostgreSQL itself counted; update_origin_differs also counts what is no conflict."
        },
        footer = {"  steep-repl conflict stats", "  steep-repl -c service=berlin conflict stats -o json"})
final class ConflictStatsCommand extends NodeAction {
    private static final List<Column<ConflictCount>> COUNTS = List.of(
            Column.of("conflict_type", ConflictCount::kind),
            Column.of("table_schema", c -> c.table().schema()),
            Column.of("table_name", c -> c.table().name()),
            Column.of("peer", ConflictCount::peer),
            Column.of("total", ConflictCount::total),
            Column.of("last_hour", ConflictCount::lastHour),
            Column.of("last_day", ConflictCount::lastDay),
            Column.of("per_minute", ConflictCount::perMinute),
            Column.of("pending", ConflictCount::pending),
            Column.of("unproven", ConflictCount::unproven),
            Column.of("possible", ConflictCount::possible),
            Column.of("last_at", ConflictCount::lastAt));

    private static final List<Column<NativeCounters>> COUNTERS = List.of(
            Column.of("insert_exists", NativeCounters::insertExists),
            Column.of("update_exists", NativeCounters::updateExists),
            Column.of("update_origin_differs", NativeCounters::updateOriginDiffers),
            Column.of("update_missing", NativeCounters::updateMissing),
            Column.of("delete_origin_differs", NativeCounters::deleteOriginDiffers),
            Column.of("delete_missing", NativeCounters::deleteMissing),
            Column.of("multiple_unique", NativeCounters::multipleUnique),
            Column.of("apply_errors", NativeCounters::applyErrors));

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        List<ConflictCount> counts = node.conflicts().stats();
        if (out.json()) {
            List<Column<ConflictCount>> columns = new ArrayList<>(COUNTS);
            columns.add(Column.of("native", ConflictStatsCommand::counters));
            out.list(columns, counts, "");
            return ExitCode.OK;
        }
        out.list(COUNTS, counts, "no conflicts");
        Map<String, NativeCounters> peers = new TreeMap<>();
        counts.forEach(count -> {
            if (count.peer() != null && count.counters() != null) {
                peers.put(count.peer(), count.counters());
            }
        });
        if (!peers.isEmpty()) {
            out.text("\nPostgreSQL's own counters\n");
            List<Column<Map.Entry<String, NativeCounters>>> columns = new ArrayList<>();
            columns.add(Column.of("peer", Map.Entry::getKey));
            COUNTERS.forEach(c -> columns.add(Column.of(c.name(), e -> c.value().apply(e.getValue()))));
            out.list(columns, List.copyOf(peers.entrySet()), "");
        }
        return ExitCode.OK;
    }

    private static @Nullable Object counters(ConflictCount count) {
        return count.counters() == null ? null : Column.object(COUNTERS, count.counters());
    }
}
