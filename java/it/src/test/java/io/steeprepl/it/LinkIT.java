package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two linked nodes, from the first row to the end of the link. */
@ExtendWith(ClusterLogs.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LinkIT {
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
        a.execute("INSERT INTO t SELECT g, 'old' FROM generate_series(1, 1000) g");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    @Order(1)
    void oneCallJoinsATableOnBothAndCopiesRowsWhileTheHolderIsWrittenTo() {
        try (Writers writers = Writers.on(a)) {
            assertThat(a.query("SELECT steep_repl.add_table('t')")).isEqualTo("joining");
            Sql.await(a, "SELECT state FROM steep_repl.replicated_tables()", "ready");
            Sql.await(b, "SELECT state FROM steep_repl.replicated_tables()", "ready");
            assertThat(writers.written()).isPositive();
        }
        Cluster.awaitEqual("t", cluster.nodes());
    }

    @Test
    @Order(2)
    void rowsFlowBothWays() {
        try (Writers writers = Writers.on(a, b)) {
            Sql.await(a, "SELECT count(*) > 100 FROM t WHERE v LIKE 'b%'", "t");
            Sql.await(b, "SELECT count(*) > 100 FROM t WHERE v LIKE 'a%'", "t");
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> writers.written() > 200);
        }
        Cluster.awaitEqual("t", cluster.nodes());
    }

    @Test
    @Order(3)
    void pauseReturnsWhenReceivingHasStopped() {
        a.query("SELECT steep_repl.pause('b')");
        b.execute("INSERT INTO t VALUES (-1, 'while paused')");
        assertThat(a.query("SELECT count(*) FROM pg_stat_subscription WHERE pid IS NOT NULL"))
                .isEqualTo("0");
        Sql.await(a, "SELECT state, lag_bytes > 0 FROM steep_repl.subscription_status()", "paused|t");
        assertThat(a.query("SELECT count(*) FROM t WHERE id = -1")).isEqualTo("0");
        a.query("SELECT steep_repl.resume('b')");
        Sql.await(a, "SELECT count(*) FROM t WHERE id = -1", "1");
        Sql.awaitStreaming(a, "b");
    }

    @Test
    @Order(4)
    void aKilledServerCatchesUp() {
        try (Writers writers = Writers.on(a, b)) {
            int before = writers.written();
            b.server().kill9();
            Sql.await(a, "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'", "unavailable");
            // It goes on without its peer: whoever sends it work by its health must not stop.
            assertThat(a.query("SELECT steep_repl.health()->>'status'")).isEqualTo("degraded");
            // Of the connection that broke it says something else, once.
            Sql.await(
                    a,
                    "SELECT r LIKE '%receiving from b: waiting: cannot connect%' AND r LIKE '%node b is unavailable: its database does%'"
                            + " FROM (SELECT steep_repl.health()->>'reasons') h(r)",
                    "t");
            b.server().start();
            Sql.awaitStreaming(b, "a");
            Sql.awaitStreaming(a, "b");
            assertThat(writers.written()).isGreaterThan(before);
        }
        Cluster.awaitEqual("t", cluster.nodes());
        Sql.await(a, "SELECT steep_repl.health()->>'status'", "healthy");
    }

    /** A wrong password does not mend itself: it must not pass for a peer that is away for a while. */
    @ParameterizedTest
    @Order(5)
    @CsvSource(delimiter = '|', textBlock = """
            cannot connect to the peer: connection to server at "b", port 1 failed: Connection refused | t
            cannot connect to the peer: connection to server at "b", port 1 failed: timeout expired | t
            cannot connect to the peer: connection to server at "b", port 1 failed: FATAL:  the database system is starting up | t
            the connection to the peer was lost: server closed the connection unexpectedly | t
            cannot connect to the peer: connection to server at "b", port 1 failed: FATAL:  password authentication failed for user "link" | f
            cannot connect to the peer: connection to server at "b", port 1 failed: FATAL:  no pg_hba.conf entry for host "a" | f
            cannot connect to the peer: the connection string has a syntax error | f
            """)
    void whoRefusesIsNotAway(String error, String away) throws SQLException {
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO steep_repl.link_observations (peer) VALUES ('b') ON CONFLICT DO NOTHING");
            statement.execute("UPDATE steep_repl.link_observations SET failing_since = now(), error = '" + error + "'");
            try (var row = statement.executeQuery("SELECT steep_repl._is_away('b')")) {
                row.next();
                assertThat(row.getString(1)).isEqualTo(away);
            }
            connection.rollback();
        }
    }

    @Test
    @Order(6)
    void theBlockerOfAStreamIsNamed() throws Exception {
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
            b.execute("INSERT INTO t VALUES (-2, 'blocked')");
            try (var row = statement.executeQuery("SELECT pg_backend_pid()")) {
                row.next();
                Sql.await(a, "SELECT blocked_by FROM steep_repl.subscription_status()", row.getString(1));
            }
            connection.rollback();
        }
        Sql.await(a, "SELECT count(*) FROM t WHERE id = -2", "1");
    }

    @Test
    @Order(7)
    void aRolledBackCallLeavesNothing() throws Exception {
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SELECT steep_repl.unsubscribe('b')");
            connection.rollback();
        }
        Sql.awaitStreaming(a, "b");
    }

    @Test
    @Order(8)
    void aTableLeavesOnBothNodes() {
        a.execute("SELECT steep_repl.remove_table('t')");
        Sql.await(b, "SELECT count(*) FROM steep_repl.replicated_tables()", "0");
        a.execute("INSERT INTO t VALUES (-3, 'only here')");
        assertThat(b.query("SELECT relreplident FROM pg_class WHERE relname = 't'"))
                .isEqualTo("d");
        a.execute("DELETE FROM t WHERE id = -3", "CREATE TABLE u (id int PRIMARY KEY)");
        b.execute("CREATE TABLE u (id int PRIMARY KEY)");
        a.execute("SELECT steep_repl.add_table('u')", "INSERT INTO u VALUES (1)");
        Sql.await(b, "SELECT count(*) FROM u", "1");
        assertThat(b.query("SELECT count(*) FROM t WHERE id = -3")).isEqualTo("0");
    }

    @Test
    @Order(9)
    void unsubscribeLeavesNothingOnEitherSide() {
        a.execute("SELECT steep_repl.unsubscribe('b')");
        Sql.await(a, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        assertThat(a.query("SELECT count(*) FROM pg_subscription")).isEqualTo("0");
        assertThat(a.query("SELECT count(*) FROM pg_replication_origin WHERE roname NOT LIKE 'steep_repl_copy%'"))
                .isEqualTo("0");
        assertThat(b.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("0");
    }

    @Test
    @Order(10)
    void receivingAgainWithTablesInPlaceIsRefused() {
        a.query("SELECT steep_repl.subscribe('b')");
        Sql.await(
                a,
                "SELECT state, last_error LIKE '%would miss what was written%' FROM steep_repl.subscription_status()",
                "failed|t");
        assertThat(b.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("0");
        a.execute("SELECT steep_repl.unsubscribe('b')");
        Sql.await(a, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
    }

    @Test
    @Order(11)
    void aPeerThatIsGoneForGoodFreesItsSlot() {
        assertThat(a.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("1");
        b.server().kill9();
        assertThat(a.query("SELECT (steep_repl.unregister_node('b')).status")).isEqualTo("removed");
        Sql.await(a, "SELECT count(*) FROM pg_replication_slots", "0");
    }
}
