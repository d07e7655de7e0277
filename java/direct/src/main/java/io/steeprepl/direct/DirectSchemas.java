package io.steeprepl.direct;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SchemaApi;
import io.steeprepl.api.SchemaDifference;
import io.steeprepl.api.TableComparison;
import io.steeprepl.api.TableDefinition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link SchemaApi} by SQL. */
record DirectSchemas(Database database) implements SchemaApi {
    /** The schema of a table: as given, else that in which the server finds it; the peer alone may have it. */
    private static final String SCHEMA = "coalesce(?::text, (SELECT n.nspname FROM pg_catalog.pg_class c"
            + " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(?)), current_schema())";

    @Override
    public String fingerprint(QualifiedName table) {
        return database.row(
                "SELECT steep_repl.compute_fingerprint(" + SCHEMA + ", ?) AS fingerprint",
                row -> row.text("fingerprint"),
                table.schema(),
                table.sql(),
                table.name());
    }

    @Override
    public int capture() {
        return database.row("SELECT steep_repl.capture_fingerprints() AS tables", row -> row.number("tables"));
    }

    @Override
    public List<TableComparison> compare(String peer) {
        return database.rows(
                "SELECT * FROM steep_repl.compare_fingerprints(?)",
                row -> new TableComparison(
                        row.text("table_schema"),
                        row.text("table_name"),
                        row.textOrNull("local_fp"),
                        row.textOrNull("remote_fp"),
                        row.text("status")),
                peer);
    }

    @Override
    public List<SchemaDifference> diff(String peer, @Nullable QualifiedName table) {
        Database.Mapper<SchemaDifference> mapper = row -> new SchemaDifference(
                row.text("table_schema"),
                row.text("table_name"),
                row.text("object"),
                row.textOrNull("property"),
                row.textOrNull("local"),
                row.textOrNull("remote"),
                row.text("difference"));
        return table == null
                ? database.rows("SELECT * FROM steep_repl.schema_diff(?)", mapper, peer)
                : database.rows(
                        "SELECT * FROM steep_repl.schema_diff(?, " + SCHEMA + ", ?)",
                        mapper,
                        peer,
                        table.schema(),
                        table.sql(),
                        table.name());
    }

    @Override
    public List<TableDefinition> definitions(@Nullable QualifiedName table) {
        Database.Mapper<TableDefinition> mapper = row -> new TableDefinition(
                row.text("table_schema"),
                row.text("table_name"),
                row.text("fingerprint"),
                row.number("column_count"),
                row.text("definition"));
        return table == null
                ? database.rows("SELECT * FROM steep_repl.schema_definitions()", mapper)
                : database.rows(
                        "SELECT * FROM steep_repl.schema_definitions(" + SCHEMA + ", ?)",
                        mapper,
                        table.schema(),
                        table.sql(),
                        table.name());
    }
}
