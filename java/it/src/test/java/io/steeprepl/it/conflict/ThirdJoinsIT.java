package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A third node joins two whose apply workers have long been running. */
@ExtendWith(ClusterLogs.class)
class ThirdJoinsIT {
    private Cluster cluster;
    private TestNode a;
    private TestNode b;
    private TestNode c;

    @BeforeEach
    void start() {
        cluster = Cluster.start(3).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        c = cluster.node(2);
        cluster.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE item (id int PRIMARY KEY, v text)",
                        "CREATE TABLE gate (id int PRIMARY KEY, v text)"));
        a.execute("SELECT steep_repl.add_table('item')", "SELECT steep_repl.add_table('gate')");
        Mesh.await(b, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'ready'", "2");
        a.execute(
                "SELECT steep_repl.set_conflict_strategy('item', 'first_write_wins')",
                "INSERT INTO item VALUES (1, 'old')",
                "INSERT INTO gate VALUES (1, 'old')");
        Mesh.await(b, "SELECT v FROM gate", "old");
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void workersThatAreOlderThanItDoNotTakeWhatWasSeenThroughItForUnseen() throws SQLException {
        String worker = b.query("SELECT pid FROM pg_stat_subscription WHERE worker_type = 'apply' AND pid IS NOT NULL");
        c.query("SELECT steep_repl.start_node('" + a.conninfo() + "', '" + c.conninfo() + "')");
        Mesh.await(c, "SELECT state FROM steep_repl.start_progress() LIMIT 1", "complete");
        Mesh.await(c, "SELECT v FROM item", "old");
        try (Connection session = b.connect()) {
            session.setAutoCommit(false);
            session.createStatement().execute("UPDATE gate SET v = 'held'");
            // What a writes now comes to c, and waits on b.
            a.execute("UPDATE gate SET v = 'a'", "UPDATE item SET v = 'of a'");
            Mesh.await(c, "SELECT v FROM item", "of a");
            c.execute("UPDATE item SET v = 'of c'");
            Mesh.await(b, "SELECT v FROM item", "of c");
            b.execute("UPDATE item SET v = 'of b'");
            session.rollback();
        }
        assertThat(b.query("SELECT count(*) FROM pg_stat_subscription WHERE pid = " + worker))
                .isEqualTo("1");
        for (TestNode node : cluster.nodes()) {
            Mesh.await(node, "SELECT v FROM gate", "a");
            Mesh.await(node, "SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL", "0");
            Mesh.await(node, "SELECT v FROM item", "of b");
        }
    }

    @Test
    void whatANodeKnowsOfAnotherWhenTheyLinkNeitherArrivesNorStopsAStream() throws SQLException {
        String worker = b.query("SELECT pid FROM pg_stat_subscription WHERE worker_type = 'apply' AND pid IS NOT NULL");
        try (Connection link = b.connect()) {
            link.setAutoCommit(false);
            link.createStatement().execute("INSERT INTO steep_repl.beats VALUES ('c', 7)");
            a.execute("INSERT INTO steep_repl.beats VALUES ('c', 9)", "UPDATE gate SET v = 'one'");
            Mesh.await(b, "SELECT v FROM gate", "one");
            link.commit();
        }
        a.execute(
                "UPDATE steep_repl.beats SET seq = 10 WHERE node_id = 'c'",
                "DELETE FROM steep_repl.beats WHERE node_id = 'c'",
                "UPDATE gate SET v = 'two'");
        Mesh.await(b, "SELECT v FROM gate", "two");
        assertThat(b.query("SELECT seq FROM steep_repl.beats WHERE node_id = 'c'"))
                .isEqualTo("7");
        assertThat(b.query("SELECT count(*) FROM pg_stat_subscription WHERE pid = " + worker))
                .isEqualTo("1");
    }
}
