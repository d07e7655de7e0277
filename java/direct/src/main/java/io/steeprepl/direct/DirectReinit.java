package io.steeprepl.direct;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReinitApi;
import io.steeprepl.api.ReinitPlan;
import io.steeprepl.api.StartProgress;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link ReinitApi} by SQL. */
record DirectReinit(Database database) implements ReinitApi {
    private static final String PROGRESS = "SELECT * FROM steep_repl.reinit_progress() WHERE ";

    @Override
    public ReinitPlan check(String source, Choice choice) {
        List<ReinitPlan.Loss> tables = new ArrayList<>();
        List<ReinitPlan.Problem> problems = new ArrayList<>();
        database.rows(
                        "SELECT * FROM steep_repl.check_reinit(?, ?, ?)",
                        DirectReinit::line,
                        source,
                        names(choice),
                        choice.schema())
                .forEach(line -> {
                    if (line.problem != null) {
                        problems.add(new ReinitPlan.Problem(line.table, line.problem, line.remedy));
                    } else if (line.table != null && line.rows != null) {
                        tables.add(new ReinitPlan.Loss(line.table, line.rows));
                    }
                });
        return new ReinitPlan(List.copyOf(tables), List.copyOf(problems));
    }

    @Override
    public long start(String source, Choice choice) {
        return database.row(
                "SELECT steep_repl.reinit_tables(?, ?, ?) AS id",
                row -> row.big("id"),
                source,
                names(choice),
                choice.schema());
    }

    @Override
    public Optional<StartProgress> running() {
        return database.rows(PROGRESS + "state = 'running' ORDER BY id DESC LIMIT 1", DirectStart::progress).stream()
                .findFirst();
    }

    @Override
    public Optional<StartProgress> progress(long id) {
        return database.rows(PROGRESS + "id = ?", DirectStart::progress, id).stream()
                .findFirst();
    }

    private static String @Nullable [] names(Choice choice) {
        return choice.tables().isEmpty()
                ? null
                : choice.tables().stream().map(QualifiedName::sql).toArray(String[]::new);
    }

    private static Line line(Row row) throws SQLException {
        String name = row.textOrNull("table_name");
        return new Line(
                name == null ? null : new QualifiedName(row.text("table_schema"), name),
                row.bigOrNull("row_count"),
                row.textOrNull("problem"),
                row.textOrNull("remedy"));
    }

    private record Line(
            @Nullable QualifiedName table,
            @Nullable Long rows,
            @Nullable String problem,
            @Nullable String remedy) {}
}
