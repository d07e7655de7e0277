package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Taking tables anew while streams stand, servers die, and everybody writes: nothing acknowledged is lost. */
@ExtendWith(ClusterLogs.class)
class ReinitFaultIT {
    private Cluster cluster;
    private TestNode a;
    private TestNode b;

    @BeforeEach
    void start() {
        cluster = Cluster.start(3);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void link(int count, int rows) {
        Reinit.link(cluster, count, rows);
    }

    private void assertEqual(int count) {
        Cluster.awaitEqual("t", cluster.nodes().subList(0, count));
    }

    /** Holds every copy up in its middle until the table {@code gate} is empty, which a killed server does not forget. */
    private static void holdUp(TestNode node) {
        node.execute(
                "CREATE TABLE gate AS SELECT 1 AS shut",
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN WHILE NEW.id = -3000 AND EXISTS (SELECT FROM public.gate) LOOP PERFORM pg_catalog.pg_sleep(0.05); END LOOP; RETURN NEW; END'",
                "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()",
                "ALTER TABLE t ENABLE ALWAYS TRIGGER slow");
    }

    @Test
    void twoThatTakeATableFromEachOtherAtOnceDoNotBothThrowItAway() throws Exception {
        link(2, 200);
        for (TestNode node : List.of(a, b)) {
            node.execute("ALTER SYSTEM SET steep_repl.lock_timeout = '60s'", "SELECT pg_reload_conf()");
        }
        // One that has paused its streams keeps the other, when that is later, from getting as far.
        String waiting =
                "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted)"
                        + " OR EXISTS (SELECT FROM steep_repl.reinit_progress() WHERE phase LIKE 'waiting for % to receive%')";
        String ofA;
        String ofB;
        try (var onA = a.connect();
                var onB = b.connect();
                var asksA = a.connect();
                var asksB = b.connect();
                var holdsA = onA.createStatement();
                var holdsB = onB.createStatement()) {
            onA.setAutoCommit(false);
            onB.setAutoCommit(false);
            asksA.setAutoCommit(false);
            asksB.setAutoCommit(false);
            holdsA.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE");
            holdsB.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE");
            // Both ask before either begins.
            ofA = Reinit.ask(asksA, "b", "t");
            ofB = Reinit.ask(asksB, "a", "t");
            asksA.commit();
            asksB.commit();
            Sql.await(a, waiting, "t");
            Sql.await(b, waiting, "t");
            onA.rollback();
            onB.rollback();
        }
        Reinit.await(a, ofA, "state NOT IN ('pending', 'running')");
        Reinit.await(b, ofB, "state NOT IN ('pending', 'running')");
        assertEqual(2);
        assertThat(a.query("SELECT count(*) FROM t")).isEqualTo("200");
        for (TestNode node : List.of(a, b)) {
            assertThat(node.query("SELECT state FROM steep_repl.replicated_tables()"))
                    .isEqualTo("ready");
        }
    }

    @Test
    void aNodeThatIsBeingFilledFromHereGetsAllRows() throws SQLException {
        link(2, 6000);
        TestNode c = cluster.node(2);
        c.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
        String id;
        try (var _ = Reinit.halfWay(c)) {
            c.query("SELECT steep_repl.start_node('" + b.conninfo() + "', '" + c.conninfo() + "')");
            Sql.await(c, "SELECT phase = 'copying' AND rows_done > 0 FROM steep_repl.start_progress()", "t");
            id = Reinit.ask(b, "a", "t");
            Reinit.await(b, id, "phase = 'waiting for a node that takes tables over from this one' AND NOT emptied");
        }
        Sql.await(c, "SELECT state, error FROM steep_repl.start_progress()", "complete|");
        Reinit.awaitComplete(b, id);
        c.execute("DROP TRIGGER slow ON t");
        assertThat(c.query("SELECT count(*) FROM t")).isEqualTo("6000");
        b.execute("INSERT INTO t VALUES (1, 'after')");
        assertEqual(3);
    }

    @Test
    void beforeAnythingIsThrownAwayTheSourceHasWhatWasWrittenHere() {
        link(2, 100);
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("INSERT INTO t VALUES (1, 'before')");
        String id = Reinit.ask(b, "a", "t");
        Reinit.await(b, id, "phase LIKE 'waiting for a to receive%' AND NOT emptied");
        b.execute("INSERT INTO t VALUES (2, 'while it waits')");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("102");
        b.server().kill9();
        b.server().start();
        Reinit.await(b, id, "phase LIKE 'waiting for a to receive%' AND NOT emptied");
        a.execute("SELECT steep_repl.resume('b')");
        Reinit.awaitComplete(b, id);
        assertEqual(2);
        assertThat(b.query("SELECT string_agg(v, ', ' ORDER BY id) FROM t WHERE id > 0"))
                .isEqualTo("before, while it waits");
    }

    @Test
    void theLastWriteBeforeTheTableIsEmptiedComesBack() throws Exception {
        link(2, 100);
        b.execute("ALTER SYSTEM SET steep_repl.lock_timeout = '60s'", "SELECT pg_reload_conf()");
        String id;
        try (var connection = b.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES (1, 'last')");
            id = Reinit.ask(b, "a", "t");
            Sql.await(
                    b,
                    "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted",
                    "1");
            a.execute("SELECT steep_repl.pause('b')");
            connection.commit();
        }
        Reinit.await(b, id, "emptied AND phase LIKE 'waiting until a has received%'");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("0");
        assertThat(a.query("SELECT count(*) FROM t")).isEqualTo("100");
        assertThat(Sql.error(b, "INSERT INTO t VALUES (2, 'too late')"))
                .contains("SR121", "being taken anew from a")
                .contains("waiting until a has received");
        b.server().kill9();
        b.server().start();
        Reinit.await(b, id, "emptied AND phase LIKE 'waiting for a to receive%'");
        assertThat(Sql.error(b, "INSERT INTO t VALUES (2, 'too late')")).contains("SR121");
        a.execute("SELECT steep_repl.resume('b')");
        Reinit.awaitComplete(b, id);
        assertEqual(2);
        assertThat(b.query("SELECT count(*), max(v) FILTER (WHERE id = 1) FROM t"))
                .isEqualTo("101|last");
    }

    @Test
    void killedHalfWayThroughTheRows() {
        link(2, 6000);
        holdUp(b);
        Reinit.tamper(b, "UPDATE t SET v = 'spoilt'");
        String id;
        try (Writers writers = Writers.on(a)) {
            id = Reinit.ask(b, "a", "t");
            Reinit.await(b, id, "phase = 'copying' AND rows_done BETWEEN 1 AND 5999");
            b.server().kill9();
            b.server().start();
            assertThat(b.query("SELECT count(*) FROM steep_repl.tables")).isEqualTo("0");
            Reinit.await(b, id, "phase = 'copying' AND rows_done BETWEEN 1 AND 5999");
            b.execute("DELETE FROM gate");
            Reinit.awaitComplete(b, id);
            assertThat(writers.written()).isPositive();
        }
        b.execute("DROP TRIGGER slow ON t");
        assertEqual(2);
        assertThat(b.query("SELECT count(*) FROM t WHERE v = 'old'")).isEqualTo("6000");
    }

    @Test
    void ofThreeWhileAllWrite() {
        link(3, 3000);
        TestNode c = cluster.node(2);
        Reinit.tamper(
                b,
                "DELETE FROM t WHERE id < 0 AND id % 3 = 0",
                "UPDATE t SET v = 'spoilt' WHERE id < 0 AND id % 5 = 0",
                "INSERT INTO t SELECT -g, 'strange' FROM generate_series(5001, 5100) g");
        int fromA;
        int fromB;
        int fromC;
        try (Writers onA = Writers.on(a);
                Writers onB = Writers.on(b);
                Writers onC = Writers.on(c)) {
            Sql.await(a, "SELECT count(*) > 100 FROM t WHERE v LIKE 'b%'", "t");
            String id = Reinit.ask(b, "a", "t");
            Reinit.awaitComplete(b, id);
            int then = onB.written();
            Sql.await(c, "SELECT count(*) > " + then + " FROM t WHERE v LIKE 'b%'", "t");
            fromA = onA.written();
            fromB = onB.written();
            fromC = onC.written();
        }
        assertEqual(3);
        for (TestNode node : cluster.nodes()) {
            assertThat(node.query("SELECT count(*) FROM t WHERE v = 'old'")).isEqualTo("3000");
            assertThat(node.query("SELECT count(*) FILTER (WHERE v LIKE 'a%') >= " + fromA
                            + ", count(*) FILTER (WHERE v LIKE 'b%') >= " + fromB
                            + ", count(*) FILTER (WHERE v LIKE 'c%') >= " + fromC + " FROM t"))
                    .isEqualTo("t|t|t");
            assertThat(node.query("SELECT count(*) FROM steep_repl.truncations"))
                    .isEqualTo("0");
            assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log"))
                    .isEqualTo("0");
        }
    }

    @Test
    void withoutPeersATableThatWaitsTakesWritesAndTheExtensionCanGo() {
        link(2, 10);
        Reinit.tamper(a, "INSERT INTO t VALUES (1, 'not taken')");
        b.execute("ALTER TABLE t ADD CONSTRAINT small CHECK (v <> 'not taken')");
        String id = Reinit.ask(b, "a", "t");
        Sql.await(b, "SELECT state FROM steep_repl.reinit_progress() WHERE id = " + id, "failed");
        assertThat(Sql.error(b, "INSERT INTO t VALUES (2, 'x')")).contains("SR121");
        a.execute("SELECT steep_repl.unsubscribe('b')");
        b.execute("SELECT steep_repl.unsubscribe('a')");
        for (TestNode node : List.of(a, b)) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
            Sql.await(node, "SELECT count(*) FROM pg_replication_slots", "0");
        }
        b.execute("INSERT INTO t VALUES (2, 'x')", "DROP EXTENSION steep_repl", "INSERT INTO t VALUES (3, 'y')");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("2");
        assertThat(b.query("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"))
                .isEqualTo("0");
    }
}
