package io.steeprepl.cli.range;

import io.steeprepl.api.IdRange;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Bar;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code range status}. */
@Command(
        name = "status",
        description = {
            "The ranges of ids of all nodes that this one knows of, and how far its own are used.",
            "Without --all those that are in use or still to be used."
        },
        footer = {"  steep-repl range status", "  steep-repl range status shop.orders --all -o json"})
final class RangeStatusCommand extends NodeAction {
    private static final List<Column<IdRange>> COLUMNS = List.of(
            Column.of("table_schema", IdRange::tableSchema),
            Column.of("table_name", IdRange::tableName),
            Column.of("node_id", IdRange::nodeId),
            Column.of("range_start", IdRange::rangeStart),
            Column.of("range_end", IdRange::rangeEnd),
            Column.of("status", IdRange::status),
            Column.of("percent_used", RangeStatusCommand::bar),
            Column.of("current_value", IdRange::currentValue),
            Column.of("ids_left", IdRange::idsLeft),
            Column.of("bypass_until", IdRange::bypassUntil),
            Column.of("note", IdRange::note));

    @Parameters(paramLabel = "TABLE", arity = "0..1", description = "Only this one. Its name as SQL writes it.")
    private @Nullable String table;

    @Option(names = "--all", description = "Also those that are used up or were released.")
    private boolean all;

    @Override
    protected void check() {
        if (table != null) {
            QualifiedName.parse(table);
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        List<IdRange> ranges = node.ranges().list().stream()
                .filter(range ->
                        all || range.status().equals("active") || range.status().equals("missing"))
                .filter(this::wanted)
                .toList();
        out.list(
                COLUMNS,
                ranges,
                "no table has ranges of ids; table add gives them to tables whose keys come from sequences");
        return ExitCode.OK;
    }

    private boolean wanted(IdRange range) {
        if (table == null) {
            return true;
        }
        QualifiedName name = QualifiedName.parse(table);
        return name.name().equals(range.tableName())
                && (name.schema() == null || name.schema().equals(range.tableSchema()));
    }

    private static @Nullable Bar bar(IdRange range) {
        return range.percentUsed() == null ? null : new Bar(range.percentUsed());
    }
}
