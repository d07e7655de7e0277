package io.steeprepl.cli.conflict;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.ConflictStrategy;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.StrategyOptions;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code conflict strategy}. */
@Command(
        name = "strategy",
        description = {
            "How tables decide their conflicts. Without arguments: the strategies there are, and which table has which;",
            "with a table and a name: gives the table that strategy, on all nodes."
        },
        footer = {
            "  steep-repl conflict strategy",
            "  steep-repl conflict strategy shop.orders first_write_wins",
            "  steep-repl conflict strategy shop.prices node_priority --priority berlin,paris",
            "  steep-repl conflict strategy shop.customers column_merge",
            "  steep-repl conflict strategy shop.stock last_write_wins --delta-columns on_hand,reserved",
            "  steep-repl conflict strategy shop.ratings function --function shop.merge_rating"
        })
final class ConflictStrategyCommand extends NodeAction {
    private static final List<Column<ConflictStrategy>> STRATEGIES = List.of(
            Column.of("name", ConflictStrategy::name),
            Column.of("converges", ConflictStrategy::converges),
            Column.of("description", ConflictStrategy::description));

    private static final List<Column<ReplicatedTable>> TABLES = List.of(
            Column.of("table_schema", ReplicatedTable::tableSchema),
            Column.of("table_name", ReplicatedTable::tableName),
            Column.of("strategy", ReplicatedTable::strategy),
            Column.of("priority", ReplicatedTable::priority),
            Column.of("delta_columns", ReplicatedTable::deltaColumns),
            Column.of("function", ReplicatedTable::resolver));

    @Parameters(index = "0", arity = "0..1", paramLabel = "TABLE", description = "A replicated table.")
    private @Nullable String table;

    @Parameters(index = "1", arity = "0..1", paramLabel = "NAME", description = "The strategy that it gets.")
    private @Nullable String strategy;

    @Option(
            names = "--priority",
            paramLabel = "NODE",
            split = ",",
            description = "For node_priority: node ids, the first wins. Nodes that are left out come last.")
    private List<String> priority = List.of();

    @Option(
            names = "--delta-columns",
            paramLabel = "COLUMN",
            split = ",",
            description = {
                "With last_write_wins or column_merge: columns of which both sides' changes are added up, as a stock.",
                "Integers or numeric, NOT NULL."
            })
    private List<String> deltaColumns = List.of();

    @Option(
            names = "--function",
            paramLabel = "FUNCTION",
            description = {
                "For function: what makes one row of both sides. It is on every node, and takes (local jsonb, remote jsonb,",
                "base jsonb, versions jsonb) and returns jsonb, the row."
            })
    private @Nullable String function;

    @Override
    protected void check() {
        if ((table == null) != (strategy == null)) {
            throw new ApiException.Usage(
                    "name the strategy for " + table, "steep-repl conflict strategy " + table + " last_write_wins");
        }
        if (table == null && (!priority.isEmpty() || !deltaColumns.isEmpty() || function != null)) {
            throw new ApiException.Usage(
                    "an option of a strategy, and no table", "steep-repl conflict strategy TABLE NAME …");
        }
        if ("function".equals(strategy) != (function != null)) {
            throw new ApiException.Usage(
                    function == null
                            ? "the strategy function needs --function"
                            : "--function goes with the strategy function alone, not with " + strategy,
                    "steep-repl conflict strategy %s function --function SCHEMA.NAME".formatted(table));
        }
        if (table != null) {
            QualifiedName.parse(table);
        }
        if (function != null) {
            QualifiedName.parse(function, "function");
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        if (table == null || strategy == null) {
            return list(node, out);
        }
        QualifiedName name = QualifiedName.parse(table);
        QualifiedName asked = function == null ? null : QualifiedName.parse(function, "function");
        node.conflicts().setStrategy(name, new StrategyOptions(strategy, priority, deltaColumns, asked));
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("table", name.toString());
        done.put("strategy", strategy);
        done.put("priority", priority);
        done.put("delta_columns", deltaColumns);
        done.put("function", asked == null ? null : asked.toString());
        String sums = deltaColumns.isEmpty() ? "" : ", and sums of %s count".formatted(String.join(", ", deltaColumns));
        out.done(
                "Conflicts of %s are decided by %s from now on, on all nodes%s.".formatted(name, strategy, sums), done);
        boolean converges = node.conflicts().strategies().stream()
                .filter(known -> known.name().equals(strategy))
                .allMatch(ConflictStrategy::converges);
        if (!converges) {
            out.note("After a conflict under %s the nodes differ in that row%s."
                    .formatted(strategy, strategy.equals("manual") ? " until somebody decides" : ""));
        }
        return ExitCode.OK;
    }

    private static ExitCode list(SteepRepl node, Output out) {
        if (out.json()) {
            List<Column<SteepRepl>> document = List.of(
                    Column.of(
                            "strategies",
                            n -> n.conflicts().strategies().stream()
                                    .map(s -> Column.object(STRATEGIES, s))
                                    .toList()),
                    Column.of(
                            "tables",
                            n -> n.tables().list().stream()
                                    .map(t -> Column.object(TABLES, t))
                                    .toList()));
            out.one(document, node);
            return ExitCode.OK;
        }
        out.list(STRATEGIES, node.conflicts().strategies(), "");
        out.text("\n");
        out.list(TABLES, node.tables().list(), "no table is replicated; table add makes one so");
        return ExitCode.OK;
    }
}
