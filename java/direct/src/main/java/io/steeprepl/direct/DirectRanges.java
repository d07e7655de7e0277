package io.steeprepl.direct;

import io.steeprepl.api.IdRange;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.RangeApi;
import io.steeprepl.api.TableRangeSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link RangeApi} by SQL. */
record DirectRanges(Database database) implements RangeApi {
    /** The functions of the requirements take a table as two names: the server finds it as it finds any other. */
    private static final String NAMED =
            " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, ";

    @Override
    public List<IdRange> list() {
        return database.rows(
                "SELECT * FROM steep_repl.range_status()",
                row -> new IdRange(
                        row.text("table_schema"),
                        row.text("table_name"),
                        row.textOrNull("column_name"),
                        row.text("node_id"),
                        row.bigOrNull("range_start"),
                        row.bigOrNull("range_end"),
                        row.text("status"),
                        row.bigOrNull("current_value"),
                        row.floatOrNull("percent_used"),
                        row.bigOrNull("ids_left"),
                        row.timeOrNull("allocated_at"),
                        row.timeOrNull("bypass_until"),
                        row.textOrNull("note")));
    }

    @Override
    public List<TableRangeSettings> settings() {
        return database.rows("SELECT * FROM steep_repl.range_settings()", row -> {
            Long threshold = row.bigOrNull("threshold");
            return new TableRangeSettings(
                    new QualifiedName(row.text("table_schema"), row.text("table_name")),
                    row.textOrNull("column_name"),
                    row.flag("enabled"),
                    row.bigOrNull("range_size"),
                    row.bigOrNull("largest_size"),
                    threshold == null ? null : threshold.intValue());
        });
    }

    @Override
    public List<Allocated> allocate(QualifiedName table, long size) {
        return database.rows(
                "SELECT a.range_start, a.range_end" + NAMED
                        + "LATERAL steep_repl.allocate_range(n.nspname, c.relname, ?) a WHERE c.oid = ?::regclass",
                row -> new Allocated(row.big("range_start"), row.big("range_end")),
                size,
                table.sql());
    }

    @Override
    public boolean release(QualifiedName table, long start) {
        return database.row(
                "SELECT a.released" + NAMED
                        + "LATERAL steep_repl.release_range(n.nspname, c.relname, ?) a(released) WHERE c.oid = ?::regclass",
                row -> row.flag("released"),
                start,
                table.sql());
    }

    @Override
    public Instant enableBypass(QualifiedName table, Duration duration, String reason) {
        return database.row(
                "SELECT steep_repl.enable_bypass(?::regclass, make_interval(secs => ?), ?) AS until",
                row -> row.time("until"),
                table.sql(),
                (double) duration.toSeconds(),
                reason);
    }

    @Override
    public @Nullable Long disableBypass(QualifiedName table) {
        return database.rows(
                        "SELECT steep_repl.disable_bypass(?::regclass) AS strays",
                        row -> new Strays(row.bigOrNull("strays")),
                        table.sql())
                .getFirst()
                .count();
    }

    @Override
    public void set(QualifiedName table, RangeOptions options) {
        database.run(
                "SELECT steep_repl.set_ranges(?::regclass, ?::boolean, ?::bigint, ?::integer)",
                table.sql(),
                options.enabled(),
                options.size(),
                options.threshold());
    }

    private record Strays(@Nullable Long count) {}
}
