package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two nodes are started at once from one source, and neither is in the other's list of members. */
@ExtendWith(ClusterLogs.class)
class NodeStartTogetherIT {
    private final Cluster cluster = Cluster.start(4).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);
    private final TestNode c = cluster.node(2);
    private final TestNode d = cluster.node(3);

    @BeforeEach
    void table() {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
        a.execute("INSERT INTO t SELECT -g, 'old' FROM generate_series(1, 3000) g", "SELECT steep_repl.add_table('t')");
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables()", "ready");
        Sql.await(a, "SELECT state FROM steep_repl.replicated_tables()", "ready");
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void eachIsLinkedWithTheOther() throws SQLException {
        try (Writers writers = Writers.on(a, b)) {
            try (Connection session = a.connect()) {
                // Both have asked who is there; who wants to be entered waits.
                session.setAutoCommit(false);
                session.createStatement().execute("LOCK TABLE steep_repl.nodes IN EXCLUSIVE MODE");
                for (TestNode node : List.of(c, d)) {
                    node.query("SELECT steep_repl.start_node('" + a.conninfo() + "', '" + node.conninfo() + "')");
                }
                Sql.await(
                        a,
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%steep_repl._invite(%'",
                        "2");
                session.rollback();
            }
            for (TestNode node : List.of(c, d)) {
                Sql.await(node, "SELECT state, error FROM steep_repl.start_progress()", "complete|");
            }
            try (Writers more = Writers.on(c, d)) {
                for (TestNode node : cluster.nodes()) {
                    Sql.await(
                            node,
                            "SELECT string_agg(state, ' ') FROM steep_repl.subscription_status()",
                            "streaming streaming streaming");
                    Sql.await(node, "SELECT count(DISTINCT left(v, 1)) FROM t WHERE id > 0", "4");
                }
                assertThat(more.written()).isPositive();
            }
            assertThat(writers.written()).isPositive();
        }
        Cluster.awaitEqual("t", cluster.nodes());
        for (TestNode node : cluster.nodes()) {
            assertThat(node.query("SELECT count(*) FROM t WHERE id < 0")).isEqualTo("3000");
            assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log"))
                    .isEqualTo("0");
        }
    }
}
