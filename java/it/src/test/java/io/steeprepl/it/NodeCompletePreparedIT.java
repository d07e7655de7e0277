package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Transactions that were prepared on a node when a backup of it was made: they are that node's to end. */
@ExtendWith(ClusterLogs.class)
class NodeCompletePreparedIT {
    private final Cluster cluster = Cluster.start(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);
    private @Nullable TestNode copy;

    @BeforeEach
    void table() {
        a.server().configure("max_prepared_transactions = 10");
        a.server().stop();
        a.server().start();
        cluster.link(2);
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
        a.execute("SELECT steep_repl.add_table('t')", "INSERT INTO t VALUES (1, 'first'), (2, 'first')");
        Sql.awaitReady(cluster, "t");
        cluster.nodes().forEach(node -> Sql.await(node, "SELECT count(*) FROM t", "2"));
    }

    @AfterEach
    void stop() {
        PhysicalCopy.end(copy);
        cluster.close();
    }

    private static void prepare(TestNode node, String gid, String statement) {
        node.execute("BEGIN", statement, "PREPARE TRANSACTION '" + gid + "'");
    }

    @Test
    void theOriginalEndsThemAndTheirRowsComeThroughTheStream() {
        a.query("SELECT steep_repl.prepare_node()");
        TestNode elsewhere = new TestNode("a", a.server(), "postgres");
        elsewhere.execute("CREATE TABLE other (id int)");
        prepare(a, "early", "UPDATE t SET v = 'early' WHERE id = 1");
        prepare(a, "late", "DELETE FROM t WHERE id = 2");
        prepare(a, "never", "INSERT INTO t VALUES (3, 'never')");
        prepare(elsewhere, "other", "INSERT INTO other VALUES (1)");
        TestNode c = PhysicalCopy.of(a, "c", false);
        copy = c;
        PhysicalCopy.start(c);
        assertThat(c.query("SELECT string_agg(gid, ' ' ORDER BY gid) FROM pg_prepared_xacts"))
                .isEqualTo("early late never other");

        assertThat(Sql.error(c, "COMMIT PREPARED 'early'"))
                .startsWith("55000 this server is a copy of node a")
                .contains("transaction early is that node's to commit");
        assertThat(Sql.error(c, PhysicalCopy.complete(c, a)))
                .startsWith("SR119")
                .contains("transaction early is prepared in the copy: ROLLBACK PREPARED 'early' here")
                .contains("ROLLBACK PREPARED 'late' here")
                .contains("ROLLBACK PREPARED 'never' here")
                .contains("transaction other is prepared in database postgres of this server: end it there");
        assertThat(a.query("SELECT count(*) FROM pg_replication_slots WHERE slot_name ~ '_c_'"))
                .isEqualTo("0");
        assertThat(c.query("SELECT v FROM t WHERE id = 1")).isEqualTo("first");

        // The one of the other database is nobody's but its own.
        new TestNode("c", c.server(), "postgres").execute("COMMIT PREPARED 'other'");
        c.execute("ROLLBACK PREPARED 'early'", "ROLLBACK PREPARED 'late'", "ROLLBACK PREPARED 'never'");
        a.execute("COMMIT PREPARED 'early'");
        c.query(PhysicalCopy.complete(c, a));
        a.execute("COMMIT PREPARED 'late'", "ROLLBACK PREPARED 'never'");
        Sql.await(c, "SELECT state || coalesce(error, '') FROM steep_repl.start_progress()", "complete");
        Sql.await(c, "SELECT string_agg(id || v, ' ') FROM t", "1early");
        // Once it is a node, it has transactions of its own.
        prepare(c, "own", "INSERT INTO t VALUES (4, 'own')");
        c.execute("COMMIT PREPARED 'own'");
        Cluster.awaitEqual("t", List.of(a, b, c));
        assertThat(b.query("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t"))
                .isEqualTo("1early 4own");
        for (TestNode node : List.of(a, b, c)) {
            assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log"))
                    .isEqualTo("0");
        }
    }

    @Test
    void aServerThatTakesTheOriginalsPlaceCommitsThem() {
        a.query("SELECT steep_repl.prepare_node()");
        prepare(a, "early", "UPDATE t SET v = 'early' WHERE id = 1");
        TestNode c = PhysicalCopy.of(a, "c", false);
        copy = c;
        a.server().kill9();
        PhysicalCopy.start(c);
        assertThat(Sql.error(c, "COMMIT PREPARED 'early'")).startsWith("55000");
        c.execute("DELETE FROM steep_repl.preparations", "COMMIT PREPARED 'early'");
        assertThat(c.query("SELECT v FROM t WHERE id = 1")).isEqualTo("early");
    }
}
