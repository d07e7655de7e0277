package io.steeprepl.it.conflict;

import io.steeprepl.testkit.TestNode;
import java.util.List;

/**
 * An entry of a node's conflict log; rows as their values joined by {@code |}, none as {@code -}.
 *
 * @param identity the conflict's identity, the same on all nodes
 */
record Entry(
        String type,
        String local,
        String remote,
        String base,
        String localOrigin,
        String remoteOrigin,
        String winner,
        String resolution,
        boolean possible,
        String identity,
        String reason,
        String key,
        boolean converged) {
    private static final String TUPLE =
            "coalesce((SELECT string_agg(coalesce(c.%1$s->>a.attname, 'null'), '|' ORDER BY a.attnum) FROM pg_attribute a"
                    + " JOIN steep_repl.tables t ON t.relation = a.attrelid WHERE t.table_schema = c.table_schema AND t.table_name = c.table_name"
                    + " AND a.attnum > 0 AND NOT a.attisdropped AND c.%1$s IS NOT NULL), '-')";

    static List<Entry> read(TestNode node, String schema) {
        String sql = "SELECT concat_ws(chr(31), conflict_type, " + TUPLE.formatted("local_tuple") + ", "
                + TUPLE.formatted("remote_tuple") + ", " + TUPLE.formatted("base_tuple")
                + ", coalesce(local_origin, '-'), coalesce(remote_origin, '-'), coalesce(winner, 'nobody'), resolution, possible, conflict_key,"
                + " coalesce(reason, '-'), coalesce(key::text, '-'), converged_at IS NOT NULL) FROM steep_repl.conflict_log c WHERE table_schema = '"
                + schema
                + "' ORDER BY id";
        return node.rows(sql).stream()
                .map(line -> List.of(line.split("\\x1f")))
                .map(c -> new Entry(
                        c.get(0),
                        c.get(1),
                        c.get(2),
                        c.get(3),
                        c.get(4),
                        c.get(5),
                        c.get(6),
                        c.get(7),
                        c.get(8).equals("t"),
                        c.get(9),
                        c.get(10),
                        c.get(11),
                        c.get(12).equals("t")))
                .toList();
    }

    /** What happened, from this node's point of view. */
    String brief() {
        return "%s here %s of %s, arrived %s of %s, base %s: %s %s%s"
                .formatted(
                        type,
                        local,
                        localOrigin,
                        remote,
                        remoteOrigin,
                        base,
                        winner,
                        resolution,
                        possible ? ", possible" : "");
    }
}
