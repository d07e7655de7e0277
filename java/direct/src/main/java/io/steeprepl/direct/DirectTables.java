package io.steeprepl.direct;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.TableApi;
import io.steeprepl.api.TableOptions;
import java.util.List;

/** {@link TableApi} by SQL. */
record DirectTables(Database database) implements TableApi {
    @Override
    public List<ReplicatedTable> list() {
        return database.rows(
                "SELECT * FROM steep_repl.replicated_tables() ORDER BY table_schema, table_name",
                row -> new ReplicatedTable(
                        row.text("table_schema"),
                        row.text("table_name"),
                        row.textOrNull("strategy"),
                        row.flag("before_images"),
                        row.text("state"),
                        row.textOrNull("reason"),
                        row.bigOrNull("rows_not_taken"),
                        row.texts("priority"),
                        row.texts("delta_columns"),
                        row.textOrNull("resolver")));
    }

    @Override
    public String add(QualifiedName table, TableOptions options) {
        return database.row(
                "SELECT steep_repl.add_table(?::regclass, strategy => ?::text, before_images => ?, existing => ?,"
                        + " identity_ranges => ?::boolean) AS state",
                row -> row.text("state"),
                table.sql(),
                options.strategy(),
                options.beforeImages(),
                options.existing(),
                options.identityRanges());
    }

    @Override
    public List<AddedTable> addAll(String schema) {
        return database.rows(
                "SELECT * FROM steep_repl.add_tables(?)",
                row -> new AddedTable(row.text("table_name"), row.text("state"), row.textOrNull("reason")),
                schema);
    }

    @Override
    public void remove(QualifiedName table) {
        database.run("SELECT steep_repl.remove_table(?::regclass)", table.sql());
    }
}
