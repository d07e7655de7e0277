package io.steeprepl.direct;

import io.steeprepl.api.StartApi;
import io.steeprepl.api.StartProblem;
import io.steeprepl.api.StartProgress;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@link StartApi} by SQL. */
record DirectStart(Database database) implements StartApi {
    @Override
    public List<StartProblem> check(String sourceConninfo, String ownConninfo) {
        return database.rows(
                "SELECT * FROM steep_repl.check_start(?, ?)",
                row -> new StartProblem(row.text("problem"), row.textOrNull("remedy")),
                sourceConninfo,
                ownConninfo);
    }

    @Override
    public long start(String sourceConninfo, String ownConninfo) {
        return database.row(
                "SELECT steep_repl.start_node(?, ?) AS id", row -> row.big("id"), sourceConninfo, ownConninfo);
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

    private static StartProgress progress(Row row) throws SQLException {
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
