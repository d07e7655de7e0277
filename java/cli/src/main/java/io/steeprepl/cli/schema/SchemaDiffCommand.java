package io.steeprepl.cli.schema;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SchemaDifference;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code schema diff}. */
@Command(
        name = "diff",
        description = {
            "What differs between the tables of this node and those of a peer, a line each. Ends with 3 when something does."
        },
        footer = {
            "  steep-repl -c service=berlin schema diff paris shop.orders",
            "  steep-repl -c service=berlin schema diff 'host=paris dbname=shop' -o json"
        })
final class SchemaDiffCommand extends PeerAction {
    private static final List<Column<SchemaDifference>> JSON = List.of(
            Column.of("table_schema", SchemaDifference::tableSchema),
            Column.of("table_name", SchemaDifference::tableName),
            Column.of("object", SchemaDifference::object),
            Column.of("property", SchemaDifference::property),
            Column.of("local", SchemaDifference::local),
            Column.of("remote", SchemaDifference::remote),
            Column.of("difference", SchemaDifference::difference));

    private static final List<Column<SchemaDifference>> TEXT = List.of(
            Column.of("table", line -> line.tableSchema() + "." + line.tableName()),
            Column.of("difference", SchemaDifference::difference));

    @Parameters(index = "0", paramLabel = "PEER", description = "The node to compare with.")
    private String peer = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "TABLE",
            description = "Only this one. Its name as SQL writes it.")
    private @Nullable String table;

    @Override
    protected ExitCode run(Output out) {
        QualifiedName name = table == null ? null : QualifiedName.parse(table);
        List<SchemaDifference> differences;
        try (SteepRepl node = open(out);
                Interrupt.Registration _ = Interrupt.onInterrupt(node::cancel)) {
            differences = node.schemas().diff(peer(peer), name);
        }
        out.list(out.json() ? JSON : TEXT, differences, "nothing differs");
        return differences.isEmpty() ? ExitCode.OK : ExitCode.SCHEMA_MISMATCH;
    }
}
