package io.steeprepl.direct;

import io.steeprepl.api.Work;
import io.steeprepl.api.WorkApi;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** {@link WorkApi} by SQL. */
record DirectWork(Database database) implements WorkApi {
    @Override
    public List<Work> list(int limit) {
        return database.rows(
                """
                SELECT q.*, q.parameters->>'path' AS path, r.rolname FROM steep_repl.work_queue q
                  LEFT JOIN pg_catalog.pg_roles r ON r.oid = q.role
                 ORDER BY q.state IN ('pending', 'running') DESC, q.id DESC LIMIT ?\
                """,
                row -> new Work(
                        row.big("id"),
                        row.text("kind"),
                        WorkState.of(row.text("state")),
                        row.textOrNull("path"),
                        row.textOrNull("rolname"),
                        row.text("asked_by"),
                        row.time("asked_at"),
                        row.timeOrNull("started_at"),
                        row.timeOrNull("finished_at"),
                        row.number("attempts"),
                        row.textOrNull("cancelled_by"),
                        row.textOrNull("error"),
                        row.textOrNull("sqlstate"),
                        row.text("parameters"),
                        row.textOrNull("result")),
                limit);
    }

    @Override
    public List<WorkProgress> progress(@Nullable Long id) {
        return progress(database, "work_progress(?::bigint)", NOTHING_ELSE, "ORDER BY p.id", id);
    }

    /** The columns of a take-over that work does not have. */
    static final String NOTHING_ELSE = ", NULL AS source, NULL::boolean AS emptied";

    /**
     * What a function says that has the shape of work_progress().
     *
     * @param more columns that it lacks
     * @param which which of its rows, and in which order
     */
    static List<WorkProgress> progress(
            Database database, String function, String more, String which, @Nullable Object... parameters) {
        return database.rows("""
            SELECT p.*, q.sqlstate, s.stream_tables, s.stream_rows, s.stream_bytes%s
              FROM steep_repl.%s p LEFT JOIN steep_repl.work_queue q ON q.id = p.id,
                   LATERAL (SELECT array_agg(e->>'table' ORDER BY n) AS stream_tables,
                                   array_agg((e->>'rows')::bigint ORDER BY n) AS stream_rows,
                                   array_agg((e->>'bytes')::bigint ORDER BY n) AS stream_bytes
                              FROM jsonb_array_elements(p.streams) WITH ORDINALITY j(e, n)) s
             %s\
            """.formatted(more, function, which), DirectWork::progress, parameters);
    }

    private static WorkProgress progress(Row row) throws SQLException {
        List<String> tables = row.texts("stream_tables");
        List<Long> rows = row.bigs("stream_rows");
        List<Long> bytes = row.bigs("stream_bytes");
        return new WorkProgress(
                row.big("id"),
                row.text("kind"),
                WorkState.of(row.text("state")),
                row.text("phase"),
                row.floatOrNull("percent"),
                row.textOrNull("current_table"),
                row.bigOrNull("tables_done"),
                row.bigOrNull("tables_total"),
                row.bigOrNull("rows_done"),
                row.bigOrNull("rows_total"),
                row.bigOrNull("bytes_done"),
                row.bigOrNull("bytes_total"),
                row.bigOrNull("bytes_per_second"),
                row.bigOrNull("seconds_left"),
                IntStream.range(0, tables.size())
                        .mapToObj(i -> new WorkProgress.Stream(tables.get(i), rows.get(i), bytes.get(i)))
                        .toList(),
                row.timeOrNull("started_at"),
                row.timeOrNull("finished_at"),
                row.textOrNull("error"),
                row.textOrNull("sqlstate"),
                row.textOrNull("source"),
                row.flagOrNull("emptied"));
    }

    @Override
    public String cancel(long id) {
        return database.row("SELECT steep_repl.cancel_work(?) AS now", row -> row.text("now"), id);
    }

    @Override
    public void retry(long id) {
        database.run("SELECT steep_repl.retry_work(?)", id);
    }

    @Override
    public void await(Duration longest) {
        database.hear("steep_repl_progress", longest);
    }
}
