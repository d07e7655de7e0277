package io.steeprepl.cli.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.TableDefinition;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code schema export}. */
@Command(
        name = "export",
        description = {
            "What counts of the tables of this node, as JSON: what the fingerprints are of. Two exports can be compared with",
            "diff, where nodes cannot reach each other. -o json: the same on one line."
        },
        footer = {"  steep-repl -c service=berlin schema export > berlin.json", "  diff berlin.json paris.json"})
final class SchemaExportCommand extends NodeAction {
    private static final List<Column<TableDefinition>> COLUMNS = List.of(
            Column.of("table_schema", TableDefinition::tableSchema),
            Column.of("table_name", TableDefinition::tableName),
            Column.of("fingerprint", TableDefinition::fingerprint),
            Column.of("definition", table -> new Json.Raw(table.definition())));

    @Parameters(
            arity = "0..1",
            paramLabel = "TABLE",
            description = "Only this one. Its name as SQL writes it. Default: all tables of users.")
    private @Nullable String table;

    @Override
    protected void check() {
        if (table != null) {
            QualifiedName.parse(table);
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        QualifiedName name = table == null ? null : QualifiedName.parse(table);
        List<TableDefinition> tables = node.schemas().definitions(name);
        if (name != null && tables.isEmpty()) {
            // Says why.
            node.schemas().fingerprint(name);
        }
        if (out.json()) {
            out.list(COLUMNS, tables, "");
        } else {
            String json = Json.write(
                    tables.stream().map(one -> Column.object(COLUMNS, one)).toList());
            // What a terminal would obey stands inside of strings, where JSON has the same way of writing it.
            out.text(Text.sanitiseLines(pretty(json)) + "\n");
        }
        return ExitCode.OK;
    }

    private static String pretty(String json) {
        try {
            var mapper = new ObjectMapper();
            return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(mapper.readTree(json));
        } catch (JsonProcessingException e) {
            throw new ApiException.Failed(null, "the server's definitions cannot be read", e.getMessage(), null, e);
        }
    }
}
