package io.steeprepl.it;

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

/** A node that is to be filled from a snapshot while another one is still loading the same one. */
@ExtendWith(ClusterLogs.class)
class NodeSnapshotTogetherIT {
    private static final String STATE = "SELECT state FROM steep_repl.start_progress() LIMIT 1";

    private Cluster cluster;

    @BeforeEach
    void start() {
        cluster = Cluster.start(3);
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY)"));
        cluster.node(0).execute("INSERT INTO t SELECT generate_series(1, 1000)", "SELECT steep_repl.add_table('t')");
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void itIsToldSoAndComesInAfterwards() throws SQLException {
        TestNode a = cluster.node(0);
        TestNode b = cluster.node(1);
        TestNode c = cluster.node(2);
        SnapshotPlace place = SnapshotPlace.beside(a);
        place.take(a, "one", ", preparation => '" + a.query("SELECT id FROM steep_repl.prepare_node('1 hour')") + "'");
        String start =
                "SELECT steep_repl.start_node('" + a.conninfo() + "', '%s', 'snapshot', '" + place.path("one") + "')";
        try (Connection holder = b.connect()) {
            holder.setAutoCommit(false);
            holder.createStatement().execute("LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE");
            b.query(start.formatted(b.conninfo()));
            Sql.await(b, "SELECT count(*) FROM steep_repl.work_queue WHERE state = 'running'", "1");
            c.query(start.formatted(c.conninfo()));
            Sql.await(
                    c,
                    "SELECT error LIKE '%b is being filled from a snapshot%' FROM steep_repl.start_progress() LIMIT 1",
                    "t");
        }
        Sql.await(b, STATE, "complete");
        Sql.await(c, STATE.replace("state", "state IN ('complete', 'failed')"), "t");
        if (c.query(STATE).equals("failed")) {
            // On a machine that was slow the time in which it tries again was over.
            c.query(start.formatted(c.conninfo()));
            Sql.await(c, STATE, "complete");
        }
        c.execute("INSERT INTO t VALUES (2001)");
        b.execute("INSERT INTO t VALUES (2002)");
        Cluster.awaitEqual("t", List.of(a, b, c));
    }
}
