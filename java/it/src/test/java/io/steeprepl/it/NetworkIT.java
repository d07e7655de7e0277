package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.Proxy;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The network between two nodes fails in various ways while both are written to. */
@ExtendWith(ClusterLogs.class)
class NetworkIT {
    private final Cluster cluster = Cluster.start(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);

    @AfterEach
    void stop() {
        cluster.close();
    }

    private static String through(Proxy proxy) {
        return "host=127.0.0.1 port=" + proxy.port() + " dbname=test user=postgres";
    }

    @Test
    void cutsAndResetsLoseNothing() {
        try (Proxy toA = new Proxy(a.server().port());
                Proxy toB = new Proxy(b.server().port())) {
            a.query("SELECT steep_repl.subscribe('" + through(toB) + "')");
            b.query("SELECT steep_repl.subscribe('" + through(toA) + "')");
            Sql.awaitStreaming(a, "b");
            Sql.awaitStreaming(b, "a");
            for (TestNode node : cluster.nodes()) {
                node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
            }
            a.execute("SELECT steep_repl.add_table('t')");
            Sql.await(b, "SELECT state FROM steep_repl.replicated_tables()", "ready");
            try (Writers writers = Writers.on(a, b)) {
                toA.reset();
                toB.reset();
                toA.cut();
                toB.cut();
                Sql.await(a, "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'", "unavailable");
                Sql.await(b, "SELECT state FROM steep_repl.subscription_status()", "waiting");
                int before = writers.written();
                // A minute, in two steps because of the patience of one.
                Sql.await(a, "SELECT lag_seconds > 30 FROM steep_repl.subscription_status()", "t");
                Sql.await(a, "SELECT lag_seconds > 60 FROM steep_repl.subscription_status()", "t");
                assertThat(writers.written()).isGreaterThan(before);
                toA.mend();
                toB.mend();
                Sql.awaitStreaming(a, "b");
                Sql.awaitStreaming(b, "a");
            }
            Cluster.awaitEqual("t", cluster.nodes());
        }
    }

    @Test
    void fullSlotsAreReportedAndTheLinkIsMadeOnceThereIsRoom() {
        b.execute(
                "SELECT pg_create_physical_replication_slot('s' || g) FROM generate_series(1, current_setting('max_replication_slots')::int) g");
        a.query("SELECT steep_repl.subscribe('" + b.conninfo() + "')");
        Sql.await(
                a,
                "SELECT state, last_error LIKE '%slots are in use%' FROM steep_repl.subscription_status()",
                "failed|t");
        assertThat(a.query("SELECT count(*) FROM pg_subscription")).isEqualTo("0");
        b.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        Sql.awaitStreaming(a, "b");
    }

    @Test
    void aSecondNodeWithTheSameIdIsRefused() {
        b.execute("CREATE DATABASE twin");
        TestNode twin = new TestNode("a", b.server(), "twin").create();
        assertThat(Sql.error(a, "SELECT steep_repl.subscribe('" + twin.conninfo() + "')"))
                .contains("a node does not receive from itself");
        a.execute("SELECT steep_repl.register_node('c', 'c', '127.0.0.1', "
                + b.server().port() + ", 50, 'twin')");
        a.query("SELECT steep_repl.subscribe('c', '" + twin.conninfo() + "')");
        Sql.await(
                a,
                "SELECT last_error LIKE '%has the node id of this node%' FROM steep_repl.subscription_status()",
                "t");
        assertThat(a.query("SELECT count(*) FROM pg_subscription")).isEqualTo("0");
        assertThat(b.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("0");
    }
}
