package io.steeprepl.cli.demo;

import io.steeprepl.cli.conflict.Tuple;
import io.steeprepl.testkit.TestkitException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An entry of an office's conflict_log.
 *
 * @param office whose
 * @param stays the node whose write stays; null while nothing is decided
 * @param reason in the log's own words
 * @param converged since when all nodes are known to agree
 */
record Entry(
        Office office,
        long id,
        String table,
        String kind,
        @Nullable Tuple base,
        Side local,
        Side remote,
        @Nullable String stays,
        @Nullable String strategy,
        @Nullable String reason,
        @Nullable Instant converged) {
    /** One of the two writes; no tuple: a deletion. */
    record Side(
            String node, @Nullable Tuple tuple, @Nullable Instant at) {}

    private static final String ALL = """
            SELECT id, table_name, conflict_type, base_tuple, local_tuple, remote_tuple, local_origin, remote_origin, local_xact_ts,
                   remote_xact_ts, CASE winner WHEN 'local' THEN local_origin WHEN 'remote' THEN remote_origin END, strategy, reason,
                   CASE WHEN resolution <> 'PENDING' THEN converged_at END FROM steep_repl.conflict_log ORDER BY id""";

    /** All that an office has logged. */
    static List<Entry> all(Office office) {
        try (var connection = office.node().connect();
                var statement = connection.createStatement();
                var row = statement.executeQuery(ALL)) {
            List<Entry> entries = new ArrayList<>();
            while (row.next()) {
                entries.add(new Entry(
                        office,
                        row.getLong(1),
                        row.getString(2),
                        row.getString(3),
                        Tuple.parse(row.getString(4)),
                        new Side(String.valueOf(row.getString(7)), Tuple.parse(row.getString(5)), time(row, 9)),
                        new Side(String.valueOf(row.getString(8)), Tuple.parse(row.getString(6)), time(row, 10)),
                        row.getString(11),
                        row.getString(12),
                        row.getString(13),
                        time(row, 14)));
            }
            return entries;
        } catch (SQLException e) {
            throw new TestkitException("cannot read the conflict log of the " + office, e);
        }
    }

    private static @Nullable Instant time(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    /** Whether it is about what the scene is about. */
    boolean about(Scene scene) {
        return table.equals(scene.table())
                && java.util.stream.Stream.of(base, local.tuple(), remote.tuple())
                        .anyMatch(t ->
                                t != null && scene.value().equals(t.values().get(scene.column())));
    }

    /** What a node had written. */
    Side by(String node) {
        return local.node().equals(node) ? local : remote;
    }
}
