package io.steeprepl.cli.range;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.IdRange;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Bar;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.ArrayList;
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
            "Without --all those that are in use or still to be used. What is left for this node after its ranges",
            "stands there where it is less than a thousand million; -o json always says it."
        },
        footer = {"  steep-repl range status", "  steep-repl range status shop.orders --all -o json"})
final class RangeStatusCommand extends NodeAction {
    private static final List<Column<IdRange>> JSON = List.of(
            Column.of("table_schema", IdRange::tableSchema),
            Column.of("table_name", IdRange::tableName),
            Column.of("node_id", IdRange::nodeId),
            Column.of("range_start", IdRange::rangeStart),
            Column.of("range_end", IdRange::rangeEnd),
            Column.of("status", IdRange::status),
            Column.of("percent_used", IdRange::percentUsed),
            Column.of("current_value", IdRange::currentValue),
            Column.of("ids_left", IdRange::idsLeft),
            Column.of("bypass_until", IdRange::bypassUntil),
            Column.of("note", IdRange::note));

    private static final List<Column<IdRange>> TEXT = List.of(
            Column.of("table", RangeStatusCommand::name),
            Column.of("node", IdRange::nodeId),
            Column.of("range_start", IdRange::rangeStart),
            Column.of("range_end", IdRange::rangeEnd),
            Column.of("status", IdRange::status),
            Column.of("used", RangeStatusCommand::bar),
            Column.of("next_id", IdRange::currentValue));

    /** Those that most nights have nothing to say. */
    private static final List<Column<IdRange>> RARE =
            List.of(Column.of("any_id_until", IdRange::bypassUntil), Column.of("note", IdRange::note));

    /** Fewer left than this are worth a column: ids of a bigint are without end. */
    private static final long FEW = 1_000_000_000;

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
        List<IdRange> known = node.ranges().list().stream().filter(this::wanted).toList();
        if (table != null && known.isEmpty()) {
            throw new ApiException.Failed(
                    null,
                    "no table %s has ranges of ids".formatted(table),
                    null,
                    "steep-repl range status lists those that have; range set %s --on gives it some".formatted(table),
                    null);
        }
        List<IdRange> ranges =
                known.stream().filter(range -> all || !over(range)).toList();
        out.list(
                out.json() ? JSON : columns(ranges),
                ranges,
                known.isEmpty()
                        ? "no table has ranges of ids; table add gives them to tables whose keys come from sequences"
                        : "no range is in use or still to be used");
        if (known.size() > ranges.size() && !out.json()) {
            out.note("%d used-up or released ranges are not shown; --all shows them."
                    .formatted(known.size() - ranges.size()));
        }
        return ExitCode.OK;
    }

    /** Columns of which no row says anything only push the others off the screen. */
    private static List<Column<IdRange>> columns(List<IdRange> ranges) {
        List<Column<IdRange>> columns = new ArrayList<>(TEXT);
        if (ranges.stream().anyMatch(range -> range.idsLeft() != null && range.idsLeft() < FEW)) {
            columns.add(Column.of("ids_left", IdRange::idsLeft));
        }
        RARE.stream()
                .filter(column ->
                        ranges.stream().anyMatch(range -> column.value().apply(range) != null))
                .forEach(columns::add);
        return columns;
    }

    private static boolean over(IdRange range) {
        return range.status().equals("exhausted") || range.status().equals("released");
    }

    private static String name(IdRange range) {
        return new QualifiedName(range.tableSchema(), range.tableName()).toString();
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
        return range.percentUsed() == null ? null : new Bar(range.percentUsed(), over(range));
    }
}
