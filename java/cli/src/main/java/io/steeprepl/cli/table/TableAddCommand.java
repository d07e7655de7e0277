package io.steeprepl.cli.table;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.TableApi.AddedTable;
import io.steeprepl.api.TableOptions;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code table add}. */
@Command(
        name = "add",
        description = {
            "Replicates tables between all linked nodes, in both directions.",
            "Rows that only one node holds are copied to the others. Ends with 1 when a table is refused."
        },
        footer = {"  steep-repl table add shop.orders '\"Shop\".\"Big Orders\"'", "  steep-repl table add --schema shop"
        })
final class TableAddCommand extends NodeAction {
    private static final List<Column<AddedTable>> COLUMNS = List.of(
            Column.of("table_name", AddedTable::tableName),
            Column.of("state", AddedTable::state),
            Column.of("reason", AddedTable::reason));

    @Parameters(paramLabel = "TABLE", arity = "0..*", description = "Names as SQL writes them.")
    private List<String> names = List.of();

    @Option(
            names = "--schema",
            paramLabel = "SCHEMA",
            description = "Every table of this schema that can be replicated.")
    private @Nullable String schema;

    @Option(
            names = "--strategy",
            paramLabel = "NAME",
            description = "How conflicts are decided. Default: the server's.")
    private @Nullable String strategy;

    @Option(
            names = "--no-before-images",
            description = "Send only the key with updates and deletes: smaller, but less is known about conflicts.")
    private boolean noBeforeImages;

    @Option(
            names = "--existing",
            paramLabel = "WHAT",
            description = "Where several nodes hold rows: refuse (default), or identical: prove that they are equal.")
    private String existing = "refuse";

    @Option(
            names = "--no-identity-ranges",
            description = "Leave the ids as they are: nodes that draw them from sequences will collide.")
    private boolean noRanges;

    @Override
    protected void check() {
        if (names.isEmpty() == (schema == null)) {
            throw new ApiException.Usage("name tables, or a schema with --schema", "steep-repl table add shop.orders");
        }
        names.forEach(QualifiedName::parse);
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        List<AddedTable> added = new ArrayList<>();
        var options = new TableOptions(strategy, !noBeforeImages, existing, noRanges ? Boolean.FALSE : null);
        List<QualifiedName> tables = names.stream().map(QualifiedName::parse).toList();
        tables.forEach(table ->
                added.add(new AddedTable(table.toString(), node.tables().add(table, options), null)));
        if (schema != null) {
            added.addAll(node.tables().addAll(schema));
        }
        out.list(COLUMNS, added, "the schema has no tables");
        return added.stream().anyMatch(table -> table.state().equals("refused")) ? ExitCode.FAILED : ExitCode.OK;
    }
}
