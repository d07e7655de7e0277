package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Sessions that hold locks, peers that are away for long, and calls that overtake the worker: it goes on with all the rest. */
@ExtendWith(ClusterLogs.class)
class WorkerIT {
    private static final String WAITS =
            "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.backend_type LIKE 'steep_repl worker%'";

    private Cluster cluster;
    private TestNode a;
    private TestNode b;

    @BeforeEach
    void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** Keeps what a statement locks until it is closed. */
    private static Connection idle(TestNode node, String sql) throws SQLException {
        Connection session = node.connect();
        session.setAutoCommit(false);
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
        return session;
    }

    /** What only the worker does is done, in less time than sessions wait for it. */
    private static void serves(TestNode node, String peer) {
        node.execute(
                "SET steep_repl.worker_timeout = '30s'",
                "SELECT steep_repl.pause('" + peer + "')",
                "SELECT steep_repl.resume('" + peer + "')");
        Sql.awaitStreaming(node, peer);
    }

    @Test
    void aRowOfTheRegistryThatIsLockedIsNotWaitedFor() throws SQLException {
        // It is written when the peer was last seen, every ten seconds.
        try (var _ = idle(a, "UPDATE steep_repl.nodes SET priority = priority WHERE node_id = 'b'")) {
            Sql.await(a, WAITS, "t");
            serves(a, "b");
        }
    }

    @Test
    void aRowThatIsToBeRepairedAndIsLockedIsNotWaitedFor() throws SQLException {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
        a.execute("INSERT INTO t VALUES (1, 'old'), (2, 'old')", "SELECT steep_repl.add_table('t')");
        Sql.awaitReady(cluster, "t");
        b.execute(
                "ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'",
                "SELECT pg_reload_conf()",
                "ALTER TABLE t ADD CONSTRAINT short CHECK (length(v) < 5)");
        a.execute("UPDATE t SET v = 'too long' WHERE id = 1", "UPDATE t SET v = 'too long' WHERE id = 2");
        String pending = "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING'";
        Sql.await(b, pending, "2");
        b.execute("ALTER TABLE t DROP CONSTRAINT short");
        try (var _ = idle(b, "SELECT 1 FROM t WHERE id = 1 FOR UPDATE")) {
            b.execute(
                    "INSERT INTO steep_repl.retries SELECT id, 'postgres' FROM steep_repl.conflict_log ON CONFLICT DO NOTHING");
            // The other one is not locked.
            Sql.await(b, "SELECT v FROM t WHERE id = 2", "too long");
            assertThat(b.query("SELECT v FROM t WHERE id = 1")).isEqualTo("old");
            serves(b, "a");
        }
        Sql.await(b, pending, "0");
        Cluster.awaitEqual("t", cluster.nodes());
    }

    @Test
    void aPeerThatIsAwayForDaysHoldsNothingElseUp() {
        b.server().kill9();
        a.execute("SELECT steep_repl.unsubscribe('b')");
        a.execute("UPDATE steep_repl.links SET attempts = 100000");
        Sql.await(a, "SELECT attempts > 100000 FROM steep_repl.links", "t");
        // What stands behind links in a round, once something has been written.
        String beats = "SELECT max(seq) FROM steep_repl.beat_history";
        String before = a.query(beats);
        a.execute("CREATE TABLE written AS SELECT repeat('x', 100) FROM generate_series(1, 1000)");
        Sql.await(a, beats.replace("max(seq)", "max(seq) > " + before), "t");
    }

    @Test
    void whoeverSubscribesBesideTheEndOfALinkGetsANewOne() {
        for (int round = 0; round < 8; round++) {
            a.execute("SELECT steep_repl.unsubscribe('b')");
            LockSupport.parkNanos(round * 15_000_000L);
            a.execute("SELECT steep_repl.subscribe('b')");
            Sql.awaitStreaming(a, "b");
        }
    }
}
