package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a copy of a node must not do, and of what it is not made a node. */
@ExtendWith(ClusterLogs.class)
class NodeCompleteRefusalIT {
    private static final String PREPARE = "SELECT id FROM steep_repl.prepare_node()";
    private static final String NOTED = "SELECT count(*) FROM steep_repl.copy_ends";
    private static final String PROGRESS = "SELECT state || coalesce(error, '') FROM steep_repl.start_progress()";

    private final Cluster cluster = Cluster.start(2).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);
    private @Nullable TestNode copy;

    @BeforeEach
    void table() {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
        a.execute("SELECT steep_repl.add_table('t')", "INSERT INTO t VALUES (1, 'a')");
        cluster.nodes().forEach(node -> Sql.await(node, "SELECT state FROM steep_repl.replicated_tables()", "ready"));
    }

    @AfterEach
    void stop() {
        if (copy != null) {
            copy.server().kill9();
        }
        cluster.close();
    }

    private TestNode copy() {
        TestNode made = PhysicalCopy.of(a, "c", false);
        copy = made;
        return made;
    }

    private TestNode running() {
        TestNode made = copy();
        made.server().start();
        Sql.await(made, NOTED, "1");
        return made;
    }

    private String refused(TestNode node) {
        return Sql.error(node, PhysicalCopy.complete(node, a));
    }

    @Test
    void nothingButACopyThatWasPreparedFor() {
        TestNode c = copy();
        c.server().start();
        assertThat(refused(c))
                .startsWith("SR119 this copy cannot be made a node / no preparation of node a is in this database");
        String id = a.query(PREPARE);
        assertThat(refused(a)).contains("this is node a itself, not a copy of it");
        assertThat(Sql.error(a, "SELECT steep_repl.complete_node('b', '" + a.conninfo() + "', '')"))
                .startsWith("SR119");
        a.query("SELECT steep_repl.cancel_preparation('" + id + "')");
        assertThat(a.query(NOTED)).isEqualTo("0");
    }

    @Test
    void allThatSpeaksAgainstItAtOnce() {
        String id = a.query(PREPARE);
        TestNode c = running();
        assertThat(Sql.error(c, "SELECT steep_repl.cancel_preparation('" + id + "')"))
                .startsWith("SR119 this is a copy");
        a.query("SELECT steep_repl.cancel_preparation('" + id + "')");
        String own = "', '" + a.conninfo() + "', '" + a.conninfo() + "', host => '127.0.0.1', port => ";
        assertThat(Sql.error(
                        c,
                        "SELECT steep_repl.complete_node('b" + own + a.server().port() + ")"))
                .startsWith("SR119")
                .contains("the node id b is taken")
                .contains("is the address of node a")
                .contains("at the connection string of this server a finds another one");
        assertThat(refused(c))
                .contains("a does not keep its stream for preparation " + id + " any more")
                .contains("b does not keep its stream for preparation " + id + " any more");
        assertThat(c.query("SELECT node_id FROM steep_repl.local_node")).isEqualTo("a");
    }

    @Test
    void noneThatHasBeenWrittenTo() {
        a.query(PREPARE);
        TestNode c = running();
        c.execute("CREATE TABLE of_another_kind (x int)", "DELETE FROM t");
        assertThat(refused(c))
                .startsWith("SR119")
                .contains("table public.t has been written to since its recovery ended");
        assertThat(a.query("SELECT count(*) FROM pg_replication_slots WHERE slot_name ~ '_c_'"))
                .isEqualTo("0");
        assertThat(b.query("SELECT count(*) FROM pg_replication_slots WHERE slot_name ~ '_c_'"))
                .isEqualTo("0");
        assertThat(c.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("0");
    }

    @Test
    void noneWhoseEndNobodyKnows() {
        a.query(PREPARE);
        TestNode c = copy();
        c.server().configure("shared_preload_libraries = ''");
        c.server().start();
        c.server().stop();
        c.server().configure("shared_preload_libraries = 'steep_repl'");
        c.server().start();
        Sql.await(c, NOTED, "1");
        assertThat(refused(c)).contains("where the copy ends cannot be told");
    }

    /** The original is down when the copy starts, and the copy is killed wherever it hurts. */
    @Test
    void theOriginalsStreamStaysItsOwnAndAKillTakesNothing() throws SQLException {
        a.query(PREPARE);
        TestNode c = copy();
        a.server().stop();
        b.execute("INSERT INTO t VALUES (2, 'b')");
        String confirmed = "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name !~ '_(kept|c)_'";
        String before = b.query(confirmed);
        c.server().start();
        Sql.await(c, NOTED, "1");
        c.server().kill9();
        c.server().start();
        Sql.await(c, "SELECT (steep_repl._worker_state()->>'running')::boolean", "t");
        Sql.await(c, "SELECT count(*) FROM pg_subscription WHERE subenabled", "0");
        assertThat(c.query("SELECT count(*) FROM t")).isEqualTo("1");
        assertThat(b.query(confirmed)).isEqualTo(before);
        a.server().start();
        Sql.awaitStreaming(a, "b");
        Sql.await(a, "SELECT count(*) FROM t", "2");
        a.execute("INSERT INTO t VALUES (3, 'a')");

        try (Connection holder = c.connect();
                Statement statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE t IN SHARE MODE");
            Thread session = Thread.ofVirtual().start(() -> Sql.error(c, PhysicalCopy.complete(c, a)));
            Sql.await(c, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass", "1");
            c.server().kill9();
            session.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        c.server().start();
        Sql.await(c, "SELECT (steep_repl._worker_state()->>'running')::boolean", "t");
        assertThat(c.query("SELECT steep_repl._copied() IS NOT NULL, count(*) FROM pg_subscription WHERE subenabled"))
                .isEqualTo("t|0");
        c.query(PhysicalCopy.complete(c, a));
        c.server().kill9();
        c.server().start();
        Sql.await(c, PROGRESS, "complete");
        c.execute("INSERT INTO t VALUES (4, 'c')");
        b.execute("UPDATE t SET v = v || '.'");
        Cluster.awaitEqual("t", List.of(a, b, c));
        assertThat(c.query("SELECT count(*) FROM t")).isEqualTo("4");
        assertThat(c.query(PhysicalCopy.complete(c, a))).isNotEmpty();
        assertThat(c.query("SELECT count(*) FROM steep_repl.start_progress()")).isEqualTo("1");
    }
}
