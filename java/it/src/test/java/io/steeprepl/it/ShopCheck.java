package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/** What must be true of nodes on which {@link ShopLoad} has written, once it has ended. */
final class ShopCheck {
    private ShopCheck() {}

    /** Equal rows and versions, nodes that differ, no id given twice, and each receives from all others. */
    static void equal(List<TestNode> nodes) {
        ShopLoad.TABLES.forEach(table -> Cluster.awaitEqual(table, nodes));
        ShopLoad.TABLES.forEach(table -> equalVersions(table, nodes));
        List<String> ids = nodes.stream().map(TestNode::id).toList();
        assertThat(nodes.stream().map(node -> node.query("SELECT steep_repl.node_id()")))
                .isEqualTo(ids);
        assertThat(nodes.stream()
                        .map(n -> n.query("SELECT node_uid FROM steep_repl.local_node"))
                        .distinct())
                .hasSize(nodes.size());
        String uids = String.join(
                " ",
                nodes.stream()
                        .map(n -> n.query("SELECT node_uid FROM steep_repl.local_node"))
                        .toList());
        for (TestNode node : nodes) {
            Sql.await(node, "SELECT string_agg(node_uid::text, ' ' ORDER BY node_id) FROM steep_repl.nodes", uids);
            assertThat(node.query(
                            "SELECT string_agg(o.node_uid::text, ' ' ORDER BY o.node_id) FROM steep_repl.origins o"
                                    + " WHERE o.xid_to IS NULL AND o.kind = 'peer'"))
                    .isEqualTo(nodes.stream()
                            .filter(other -> !other.equals(node))
                            .map(other -> other.query("SELECT node_uid FROM steep_repl.local_node"))
                            .collect(java.util.stream.Collectors.joining(" ")));
            // Nobody has an id of another one's: none was given twice, and all lie in the ranges of who gave them, once
            // all are told.
            assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log WHERE table_name = 'orders'"))
                    .isEqualTo("0");
            Sql.await(
                    node,
                    "SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT 1 FROM steep_repl.identity_ranges r"
                            + " WHERE r.table_name = 'orders' AND r.node_id = o.made_on AND o.id BETWEEN r.range_start AND r.range_end)",
                    "0");
            assertThat(
                            node.query(
                                    "SELECT count(*) FROM steep_repl.identity_ranges r JOIN steep_repl.identity_ranges s"
                                            + " ON s.table_name = r.table_name AND s.node_id > r.node_id AND s.range_start <= r.range_end AND s.range_end >= r.range_start"))
                    .as("ranges of two nodes that overlap")
                    .isEqualTo("0");
            Sql.await(
                    node,
                    "SELECT count(*) FROM steep_repl.subscription_status() WHERE state = 'streaming'",
                    String.valueOf(nodes.size() - 1));
        }
    }

    /** Rows have the same version everywhere: those that were written before a copy was made, too. */
    private static void equalVersions(String table, List<TestNode> nodes) {
        String versions = "SELECT md5(string_agg(format('%s %s %s', t.id, v.micros, v.node), ',' ORDER BY t.id)) FROM "
                + table + " t CROSS JOIN LATERAL steep_repl._row_version('" + table
                + "'::regclass, steep_repl._key_id('" + table
                + "'::regclass, jsonb_build_object('id', t.id)), t.xmin) v";
        Awaitility.await("equal versions of " + table)
                .atMost(Duration.ofMinutes(2))
                .until(() -> nodes.stream()
                                .map(node -> node.query(versions))
                                .distinct()
                                .count()
                        == 1);
    }
}
