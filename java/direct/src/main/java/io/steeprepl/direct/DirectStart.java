package io.steeprepl.direct;

import io.steeprepl.api.CompleteOptions;
import io.steeprepl.api.Preparation;
import io.steeprepl.api.StartApi;
import io.steeprepl.api.StartOptions;
import io.steeprepl.api.StartProblem;
import io.steeprepl.api.WorkProgress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
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
    public Optional<WorkProgress> running() {
        return progress("WHERE p.state IN ('pending', 'running') ORDER BY p.id DESC LIMIT 1").stream()
                .findFirst();
    }

    @Override
    public Optional<WorkProgress> progress(long id) {
        return progress("WHERE p.id = ?", id).stream().findFirst();
    }

    @Override
    public List<WorkProgress> list() {
        return progress("ORDER BY p.id DESC");
    }

    private List<WorkProgress> progress(String which, Object... parameters) {
        return DirectWork.progress(database, "start_progress()", ", NULL::boolean AS emptied", which, parameters);
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
}
