package io.steeprepl.direct;

import io.steeprepl.api.CompleteOptions;
import io.steeprepl.api.Preparation;
import io.steeprepl.api.StartApi;
import io.steeprepl.api.StartOptions;
import io.steeprepl.api.StartProblem;
import io.steeprepl.api.StartProgress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link StartApi} by SQL. */
record DirectStart(Database database) implements StartApi {
    @Override
    public List<StartProblem> check(StartOptions options) {
        Call call = Call.of("check_start")
                .with("source_conninfo", options.sourceConninfo())
                .with("own_conninfo", options.ownConninfo())
                .with("path", options.path());
        return database.rows(
                "SELECT * FROM " + call.sql(),
                row -> new StartProblem(row.text("problem"), row.textOrNull("remedy")),
                call.parameters());
    }

    @Override
    public long start(StartOptions options) {
        Call call = Call.of("start_node")
                .with("source_conninfo", options.sourceConninfo())
                .with("own_conninfo", options.ownConninfo())
                .with("method", options.method())
                .with("path", options.path())
                .with("parallel", options.parallel());
        return database.row("SELECT " + call.sql() + " AS id", row -> row.big("id"), call.parameters());
    }

    @Override
    public long complete(CompleteOptions options) {
        Call call = Call.of("complete_node")
                .with("node_id", options.nodeId().value())
                .with("source_conninfo", options.sourceConninfo())
                .with("own_conninfo", options.ownConninfo())
                .with("node_name", options.name())
                .with("host", options.host())
                .with("port", options.port())
                .with("priority", options.priority())
                .with("preparation", "?::uuid", options.preparation());
        return database.row("SELECT " + call.sql() + " AS id", row -> row.big("id"), call.parameters());
    }

    @Override
    public Optional<StartProgress> running() {
        return database
                .rows(
                        "SELECT * FROM steep_repl.start_progress() WHERE state = 'running' ORDER BY id DESC LIMIT 1",
                        DirectStart::progress)
                .stream()
                .findFirst();
    }

    @Override
    public Optional<StartProgress> progress(long id) {
        return database
                .rows("SELECT * FROM steep_repl.start_progress() WHERE id = ?", DirectStart::progress, id)
                .stream()
                .findFirst();
    }

    @Override
    public List<StartProgress> list() {
        return database.rows("SELECT * FROM steep_repl.start_progress() ORDER BY id DESC", DirectStart::progress);
    }

    @Override
    public String cancel(long id) {
        return database.row("SELECT steep_repl.cancel_start(?) AS now", row -> row.text("now"), id);
    }

    @Override
    public Preparation prepare(@Nullable Duration expires) {
        Double seconds = expires == null ? null : expires.toMillis() / 1000.0;
        Call call = Call.of("prepare_node").with("expires", "make_interval(secs => ?)", seconds);
        String id = database.row("SELECT id FROM " + call.sql(), row -> row.text("id"), call.parameters());
        return database.row("SELECT * FROM steep_repl.preparations() WHERE id = ?::uuid", DirectStart::preparation, id);
    }

    @Override
    public List<Preparation> preparations() {
        return database.rows("SELECT * FROM steep_repl.preparations()", DirectStart::preparation);
    }

    @Override
    public List<String> cancelPreparation(String id) {
        return database.row("SELECT steep_repl.cancel_preparation(?::uuid) AS missed", row -> row.texts("missed"), id);
    }

    private static Preparation preparation(Row row) throws SQLException {
        return new Preparation(
                row.text("id"),
                row.text("source"),
                row.text("state"),
                row.time("made_at"),
                row.time("expires_at"),
                row.text("asked_by"),
                row.text("slot_name"),
                row.bigOrNull("retained_wal_bytes"),
                row.texts("members"));
    }

    static StartProgress progress(Row row) throws SQLException {
        return new StartProgress(
                row.big("id"),
                StartProgress.State.valueOf(row.text("state").toUpperCase(Locale.ROOT)),
                row.textOrNull("phase"),
                row.number("tables_done"),
                row.number("tables_total"),
                row.textOrNull("current_table"),
                row.big("rows_done"),
                row.big("rows_total"),
                row.big("bytes_done"),
                row.textOrNull("error"),
                row.timeOrNull("started_at"),
                row.timeOrNull("finished_at"));
    }
}
