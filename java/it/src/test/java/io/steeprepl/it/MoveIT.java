package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.Proxy;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A peer that answers at another address than when the link was made. */
@ExtendWith(ClusterLogs.class)
class MoveIT {
    private static final String CONNECTION = "SELECT subconninfo FROM pg_subscription";
    private static final String LINK_ERROR =
            "SELECT coalesce(l.last_error, 'none') FROM steep_repl.links l WHERE peer = 'b'";

    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
        }
        a.execute("SELECT steep_repl.add_table('t')");
        Sql.await(b, "SELECT string_agg(state, ' ') FROM steep_repl.replicated_tables()", "ready");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static String through(Proxy proxy) {
        return "host=127.0.0.1 port=" + proxy.port() + " dbname=test user=postgres";
    }

    private static void move(String conninfo) {
        a.execute("SELECT steep_repl.subscribe('b', '" + conninfo + "')");
    }

    @Test
    void theStreamGoesOnFromTheNewAddress() {
        try (Proxy before = new Proxy(b.server().port());
                Proxy after = new Proxy(b.server().port())) {
            move(through(before));
            Sql.await(a, CONNECTION, through(before));
            b.execute("INSERT INTO t VALUES (1, 'over the first')");
            Sql.await(a, "SELECT v FROM t WHERE id = 1", "over the first");
            before.cut();
            b.execute("INSERT INTO t VALUES (2, 'while away')");
            Sql.await(a, "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'", "unavailable");
            move(through(after));
            Sql.await(a, "SELECT v FROM t WHERE id = 2", "while away");
            Sql.awaitStreaming(a, "b");
            assertThat(a.query(CONNECTION)).isEqualTo(through(after));
            assertThat(a.query("SELECT conninfo FROM steep_repl.nodes WHERE node_id = 'b'"))
                    .isEqualTo(through(after));
            b.execute("INSERT INTO t VALUES (3, 'over the second')");
            Sql.await(a, "SELECT v FROM t WHERE id = 3", "over the second");
            // Really over that one: the stream stops with it, and a paused link moves as well.
            a.execute("SELECT steep_repl.pause('b')");
            after.cut();
            move(b.conninfo());
            Sql.await(a, CONNECTION, b.conninfo());
            assertThat(a.query("SELECT state FROM steep_repl.subscription_status()"))
                    .isEqualTo("paused");
            a.execute("SELECT steep_repl.resume('b')");
            b.execute("INSERT INTO t VALUES (4, 'at home')");
            Sql.await(a, "SELECT v FROM t WHERE id = 4", "at home");
        }
        assertThat(a.query("SELECT count(*) FROM steep_repl.audit_log WHERE action = 'subscription.move' AND success"))
                .isEqualTo("3");
        assertThat(a.query(LINK_ERROR)).isEqualTo("none");
        // The slot is the same: there is no other.
        assertThat(b.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("1");
    }

    @Test
    void anotherNodeIsNotTakenForThePeer() {
        String before = a.query(CONNECTION);
        // Not known to a, with the id of its peer.
        TestNode namesake = new TestNode("b", a.server(), "namesake").create();
        for (TestNode other : new TestNode[] {a, namesake}) {
            move(other.conninfo());
            String answers = other.equals(a) ? "node a" : "another node of that id";
            Sql.await(a, LINK_ERROR, "at the new connection string of b answers " + answers);
            assertThat(a.query(CONNECTION)).isEqualTo(before);
        }
        b.execute("INSERT INTO t VALUES (5, 'over the old address')");
        Sql.await(a, "SELECT v FROM t WHERE id = 5", "over the old address");
        move(b.conninfo());
        Sql.await(a, LINK_ERROR, "none");
        Sql.awaitStreaming(a, "b");
    }
}
