package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tables that b takes anew from a, until somebody cancels that. */
@ExtendWith(ClusterLogs.class)
class ReinitCancelIT {
    private Cluster cluster;
    private TestNode a;
    private TestNode b;

    @BeforeEach
    void start() {
        cluster = Cluster.start(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private String cancel(String id) {
        return b.query("SELECT * FROM steep_repl.cancel_reinit(" + id + ")");
    }

    private void assertRefused(String id, String why) {
        assertThat(Sql.error(b, "SELECT steep_repl.cancel_reinit(" + id + ")")).startsWith("SR123 " + why);
    }

    private void assertReplicates() {
        a.execute("INSERT INTO t VALUES (10, 'by a')");
        b.execute("INSERT INTO t VALUES (11, 'by b')");
        Sql.await(b, "SELECT count(*) FROM t WHERE id IN (10, 11)", "2");
        Cluster.awaitEqual("t", cluster.nodes());
    }

    @Test
    void whileItWaitsEverythingStaysAsItWas() {
        Reinit.link(cluster, 2, 100);
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("INSERT INTO t VALUES (1, 'not yet on a')");
        String id = Reinit.ask(b, "a", "t");
        Reinit.await(b, id, "phase LIKE 'waiting for a to receive%'");
        assertThat(cancel(id)).isEqualTo("cancelled|{}");
        assertThat(b.query("SELECT state, phase, emptied FROM steep_repl.reinit_progress() WHERE id = " + id))
                .isEqualTo("cancelled|cancelled|f");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("101");
        assertRefused(id, "reinit " + id + " has ended: it is cancelled");
        a.execute("SELECT steep_repl.resume('b')");
        assertReplicates();
        Reinit.tamper(b, "UPDATE t SET v = 'spoilt'");
        id = Reinit.ask(b, "a", "t");
        Reinit.awaitComplete(b, id);
        Cluster.awaitEqual("t", cluster.nodes());
        assertThat(a.query("SELECT count(*) FROM t WHERE v = 'old'")).isEqualTo("100");
        assertRefused(id, "reinit " + id + " has ended: it is complete");
        assertRefused("9999", "there is no reinit 9999");
    }

    @Test
    void whileItWaitsForATableThatIsBeingUsed() throws SQLException {
        Reinit.link(cluster, 2, 100);
        b.execute("ALTER SYSTEM SET steep_repl.lock_timeout = '60s'", "SELECT pg_reload_conf()");
        try (var session = b.connect();
                var statement = session.createStatement()) {
            session.setAutoCommit(false);
            statement.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE");
            String id = Reinit.ask(b, "a", "t");
            Sql.await(
                    b,
                    "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted",
                    "1");
            Instant asked = Instant.now();
            assertThat(cancel(id)).isEqualTo("cancelled|{}");
            // Far less than the process would have waited for the table.
            assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(30));
            session.rollback();
        }
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("100");
        assertReplicates();
    }

    @Test
    void inTheMiddleOfTheCopyTheTableStaysClosedUntilItIsTakenAnew() throws SQLException {
        Reinit.link(cluster, 2, 6000);
        String id;
        try (var _ = Reinit.halfWay(b)) {
            id = Reinit.ask(b, "a", "t");
            Reinit.await(b, id, "phase = 'copying' AND rows_done > 0");
            assertThat(cancel(id)).isEqualTo("cancelled|{public.t}");
            // The session still holds the copy up: it did not end by itself.
            assertThat(b.query("SELECT count(*) FROM pg_stat_progress_copy")).isEqualTo("0");
        }
        b.server().kill9();
        b.server().start();
        assertThat(b.query("SELECT state, tables_done, emptied FROM steep_repl.reinit_progress() WHERE id = " + id))
                .isEqualTo("cancelled|0|t");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("0");
        assertThat(a.query("SELECT count(*) FROM t")).isEqualTo("6000");
        assertThat(Sql.error(b, "INSERT INTO t VALUES (1, 'x')"))
                .startsWith("SR121")
                .contains("cancelled by");
        assertThat(b.query("SELECT steep_repl.health()->>'reasons'"))
                .contains("table public.t: cancelled by", "it is empty on b, and takes no writes there");
        assertThat(b.query(
                        "SELECT new_value->>'closed' FROM steep_repl.audit_log WHERE action = 'node.reinit_cancelled'"))
                .isEqualTo("[\"public.t\"]");
        Sql.await(a, "SELECT state FROM steep_repl.replicated_tables()", "failed");
        assertRefused(id, "reinit " + id + " has ended: it is cancelled");
        // One that is cancelled before it has done anything leaves closed what an earlier one has emptied.
        a.execute("SELECT steep_repl.pause('b')", "INSERT INTO t VALUES (1, 'by a')");
        String next = Reinit.ask(b, "a", "t");
        Reinit.await(b, next, "phase LIKE 'waiting for a to receive%' AND NOT emptied");
        assertThat(cancel(next)).isEqualTo("cancelled|{public.t}");
        a.execute("SELECT steep_repl.resume('b')");
        b.execute("DROP TRIGGER slow ON t");
        Reinit.awaitComplete(b, Reinit.ask(b, "a", "t"));
        assertReplicates();
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("6003");
        assertThat(
                        b.query(
                                "SELECT count(*) FROM jsonb_array_elements_text(steep_repl.health()->'reasons') r WHERE r LIKE 'table %'"))
                .isEqualTo("0");
    }

    @Test
    void aCancelThatDidNotCommitCancelsNothing() throws SQLException {
        Reinit.link(cluster, 2, 6000);
        Reinit.tamper(b, "UPDATE t SET v = 'spoilt'");
        String id;
        try (var _ = Reinit.halfWay(b);
                var session = b.connect()) {
            id = Reinit.ask(b, "a", "t");
            Reinit.await(b, id, "phase = 'copying' AND rows_done > 0");
            session.setAutoCommit(false);
            session.createStatement().execute("SELECT steep_repl.cancel_reinit(" + id + ")");
            b.server().kill9();
        }
        b.server().start();
        Reinit.awaitComplete(b, id);
        b.execute("DROP TRIGGER slow ON t");
        assertReplicates();
        assertThat(b.query("SELECT count(*) FROM t WHERE v = 'old'")).isEqualTo("6000");
    }

    /** It waits for its next attempt, and somebody else holds its row, so that it cannot be seized at once. */
    @Test
    void theProcessOfAnotherOneGoesOn() throws Exception {
        cluster.link(2);
        cluster.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE u (id int PRIMARY KEY)", "CREATE TABLE t (id int PRIMARY KEY, v text)"));
        a.execute("INSERT INTO t SELECT -g, 'old' FROM generate_series(1, 6000) g", "SELECT steep_repl.add_table('u')");
        Reinit.awaitReady(cluster.nodes(), "public.u");
        try (var _ = Reinit.halfWay(b);
                var session = b.connect()) {
            session.setAutoCommit(false);
            String id = Reinit.ask(session, "a", "u");
            session.createStatement()
                    .execute("UPDATE steep_repl.initialisations SET next_try = now() + interval '50 s'");
            session.commit();
            a.execute("SELECT steep_repl.add_table('t')");
            Sql.await(b, "SELECT tuples_processed > 0 FROM pg_stat_progress_copy", "t");
            String process = b.query("SELECT pid FROM pg_stat_progress_copy");
            session.createStatement()
                    .execute("SELECT FROM steep_repl.initialisations WHERE id = " + id + " FOR UPDATE");
            CompletableFuture<String> cancelled = CompletableFuture.supplyAsync(() -> cancel(id));
            Sql.await(
                    b,
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%cancel_reinit(" + id
                            + ")' AND wait_event = 'PgSleep'",
                    "1");
            session.rollback();
            assertThat(cancelled.get(30, TimeUnit.SECONDS)).isEqualTo("cancelled|{}");
            assertThat(b.query("SELECT pid FROM pg_stat_progress_copy")).isEqualTo(process);
        }
        Reinit.awaitReady(cluster.nodes(), "public.t");
        b.execute("DROP TRIGGER slow ON t");
        assertReplicates();
    }
}
