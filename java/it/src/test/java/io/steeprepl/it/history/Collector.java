package io.steeprepl.it.history;

import io.steeprepl.it.history.oracle.Entry;
import io.steeprepl.it.history.oracle.Evidence;
import io.steeprepl.it.history.oracle.Row;
import io.steeprepl.it.history.oracle.Truncation;
import io.steeprepl.it.history.oracle.Write;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads from the nodes what the oracle needs. */
final class Collector {
    private final Mesh mesh;

    Collector(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Asks the nodes when the transactions committed, and whether they did where the connection broke meanwhile. */
    List<Write> writes(List<Attempt> attempts) throws SQLException {
        List<Write> writes = new ArrayList<>();
        for (Attempt attempt : attempts) {
            if (attempt.end != Attempt.End.REFUSED && attempt.committed == null) {
                find(attempt, mesh.eye(attempt.node), "'" + attempt.transaction + "'::xid8");
            }
            writes.addAll(attempt.writes(mesh.node(attempt.node).id()));
        }
        return writes;
    }

    private static void find(Attempt attempt, Eye eye, String xid) throws SQLException {
        Instant time = null;
        if ("committed".equals(eye.value("SELECT pg_xact_status(" + xid + ")"))) {
            time = eye.rows(
                            "SELECT pg_xact_commit_timestamp(" + xid + "::xid)",
                            row -> row.getTimestamp(1).toInstant())
                    .getFirst();
        }
        // A number that a crashed server had given out, and not yet written down, is given out again after the crash.
        // Nor did the attempt write what had committed before it began.
        boolean another = attempt.end == Attempt.End.UNKNOWN
                && (time == null || time.isAfter(attempt.ended) || time.isBefore(attempt.begun));
        attempt.end = another ? Attempt.End.REFUSED : Attempt.End.COMMITTED;
        attempt.committed = another ? null : time;
    }

    Evidence evidence(Run run, List<Write> writes) throws SQLException {
        Plan plan = run.plan();
        List<Truncation> truncations = run.attempts().stream()
                .flatMap(attempt -> attempt.truncations(mesh.node(attempt.node).id()).stream())
                .toList();
        SortedMap<String, List<Row>> rows = new TreeMap<>();
        List<Entry> log = new ArrayList<>();
        for (int i = 0; i < mesh.size(); i++) {
            String node = mesh.node(i).id();
            rows.put(node, rows(mesh.eye(i), plan));
            log.addAll(log(node, mesh.eye(i), plan));
        }
        Set<String> ordered =
                tables(plan, shape -> !shape.hasUnique() && shape.strategy().isEmpty());
        Map<String, List<String>> provisional = plan.shapes().stream()
                .filter(Shape::provisional)
                .collect(Collectors.toMap(Shape::table, Shape::priority));
        Map<String, Boolean> folded = plan.shapes().stream()
                .filter(Shape::folds)
                .collect(Collectors.toMap(Shape::table, shape -> shape == Shape.MERGED));
        return new Evidence(writes, truncations, rows, log, ordered, provisional, folded);
    }

    private static Set<String> tables(Plan plan, Predicate<Shape> wanted) {
        return plan.shapes().stream().filter(wanted).map(Shape::table).collect(Collectors.toSet());
    }

    private static List<Row> rows(Eye eye, Plan plan) throws SQLException {
        String query = plan.shapes().stream()
                .map(shape -> "SELECT '" + shape.table() + "', id, " + shape.unique()
                        + ", write_id, to_jsonb(t)::text, concat_ws(' ', v.timestamp, v.roident) FROM " + shape.table()
                        + " t LEFT JOIN LATERAL pg_xact_commit_timestamp_origin(xmin) v ON true WHERE "
                        + plan.range("id"))
                .collect(Collectors.joining(" UNION ALL "));
        return eye.rows(
                query + " ORDER BY 1, 2",
                r -> new Row(
                        r.getString(1), r.getInt(2), r.getString(3), r.getLong(4), r.getString(5), r.getString(6)));
    }

    private static List<Entry> log(String node, Eye eye, Plan plan) throws SQLException {
        String tables = plan.shapes().stream().map(s -> "'" + s.table() + "'").collect(Collectors.joining(", "));
        String query = """
                SELECT c.id, conflict_key, table_name, conflict_type, k.id, local_tuple->>'write_id', local_tuple::text,
                       remote_tuple->>'write_id', remote_tuple::text, base_tuple->>'write_id', strategy, winner, resolution, possible,
                       converged_at IS NOT NULL, coalesce(error, not_converged_reason)
                  FROM steep_repl.conflict_log c,
                       LATERAL (SELECT coalesce(key->>'id', local_tuple->>'id', remote_tuple->>'id', base_tuple->>'id')::int AS id) k
                 WHERE table_name IN (%s) AND %s ORDER BY c.id
                """.formatted(tables, plan.range("k.id"));
        return eye.rows(
                query,
                r -> new Entry(
                        node,
                        r.getLong(1),
                        r.getString(2),
                        r.getString(3),
                        r.getString(4),
                        r.getInt(5),
                        new Entry.Side(number(r, 6), r.getString(7)),
                        new Entry.Side(number(r, 8), r.getString(9)),
                        number(r, 10),
                        r.getString(11),
                        r.getString(12),
                        r.getString(13),
                        r.getBoolean(14),
                        r.getBoolean(15),
                        r.getString(16)));
    }

    private static @Nullable Long number(ResultSet row, int column) throws SQLException {
        String text = row.getString(column);
        return text == null ? null : Long.valueOf(text);
    }
}
