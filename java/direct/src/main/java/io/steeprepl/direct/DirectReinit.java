package io.steeprepl.direct;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReinitApi;
import io.steeprepl.api.ReinitPlan;
import io.steeprepl.api.WorkProgress;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link ReinitApi} by SQL. */
record DirectReinit(Database database) implements ReinitApi {
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

    @Override
    public Cancelled cancel(long id) {
        return database.row(
                "SELECT * FROM steep_repl.cancel_reinit(?)",
                row -> new Cancelled(
                        row.text("state"),
                        row.texts("closed").stream().map(QualifiedName::parse).toList()),
                id);
    }

    private List<WorkProgress> progress(String which, Object... parameters) {
        return DirectWork.progress(database, "reinit_progress()", "", which, parameters);
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
