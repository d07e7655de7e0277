package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** A start is cancelled while its source holds the streams of the other members for it. */
@ExtendWith(ClusterLogs.class)
@DisabledOnOs(OS.WINDOWS)
class NodeStartCancelIT {
    private static final String HELD =
            "SELECT held_until > clock_timestamp() FROM steep_repl.links WHERE held_by = 'c'";

    private final Cluster cluster = Cluster.start(3).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);
    private final TestNode c = cluster.node(2);

    @BeforeEach
    void table() {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
        a.execute("SELECT steep_repl.add_table('t')");
        Reinit.awaitReady(cluster.nodes().subList(0, 2), "public.t");
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** A start that waits for the snapshot, because of the caller's transaction on the source. */
    private String held(Connection writer) throws SQLException {
        a.query("SELECT steep_repl.pause('b')");
        b.execute("INSERT INTO t VALUES (1, 'not received by a')");
        String id = c.query(
                "SELECT steep_repl.start_node('" + a.conninfo() + " connect_timeout=60', '" + c.conninfo() + "')");
        Sql.await(c, "SELECT phase FROM steep_repl.start_progress()", "links made");
        writer.setAutoCommit(false);
        writer.createStatement().execute("INSERT INTO t VALUES (1000, 'not committed yet')");
        a.query("SELECT steep_repl.resume('b')");
        Sql.await(a, HELD, "t");
        Sql.await(c, "SELECT phase FROM steep_repl.start_progress()", "taking a snapshot of the source");
        return id;
    }

    @Test
    void theSourceGoesOnAtOnce() throws SQLException {
        try (Connection writer = a.connect()) {
            String id = held(writer);
            c.query("SELECT steep_repl.cancel_start(" + id + ")");
            Sql.await(a, "SELECT count(*) FROM steep_repl.links WHERE held_by IS NOT NULL", "0");
        }
    }

    @Test
    void aSourceThatDoesNotAnswerIsNotWaitedFor() throws SQLException {
        try (Connection writer = a.connect()) {
            String id = held(writer);
            a.server().freeze();
            try {
                Instant asked = Instant.now();
                assertThat(c.query("SELECT steep_repl.cancel_start(" + id + ")"))
                        .isEqualTo("cancelled");
                assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(30));
            } finally {
                a.server().thaw();
            }
            Sql.await(c, "SELECT state FROM steep_repl.start_progress()", "cancelled");
        }
    }
}
