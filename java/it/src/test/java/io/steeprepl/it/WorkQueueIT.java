package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** When work begins, waits, ends and is forgotten. */
@ExtendWith(ClusterLogs.class)
class WorkQueueIT {
    private static final Cluster CLUSTER = Cluster.start(1);
    private static final TestNode A = CLUSTER.node(0);
    private static TestNode other;
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);

    @BeforeAll
    static void roomForMany() {
        set("max_worker_processes = 64", "steep_repl.max_jobs = 16");
        A.server().stop();
        A.server().start();
        other = new TestNode("b", A.server(), "other").create();
        for (TestNode node : List.of(A, other)) {
            node.execute("CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)");
        }
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    private static void set(String... settings) {
        for (String setting : settings) {
            A.execute("ALTER SYSTEM SET " + setting, "SELECT pg_reload_conf()");
        }
    }

    /** A session without whose end no snapshot begins. */
    private static Connection holdingUp(TestNode node) throws SQLException {
        Connection session = node.connect();
        session.setAutoCommit(false);
        session.createStatement().execute("LOCK TABLE t");
        return session;
    }

    private static String state(TestNode node, String id) {
        return node.query("SELECT state FROM steep_repl.work_queue WHERE id = " + id);
    }

    @Test
    void workBeginsAlsoWhereEachRoundOfTheWorkerFails() {
        A.execute("ALTER TABLE steep_repl.table_inbox RENAME TO away");
        try {
            Sql.await(A, "SELECT steep_repl.health()->'worker'->>'last_error' LIKE '%table_inbox%'", "t");
            PLACE.take(A, "fails", ", tables => '{t}'");
        } finally {
            A.execute("ALTER TABLE steep_repl.away RENAME TO table_inbox");
        }
    }

    @Test
    void whatIsCancelledInATransactionThatIsRolledBackGoesOn() throws SQLException {
        String id;
        try (var _ = holdingUp(A);
                var session = A.connect();
                var statement = session.createStatement()) {
            id = PLACE.start(A, "on", ", tables => '{t}'");
            Sql.await(A, "SELECT phase LIKE 'waiting for one%' FROM steep_repl.work_progress(" + id + ")", "t");
            session.setAutoCommit(false);
            statement.execute("SELECT steep_repl.cancel_work(" + id + ")");
            session.rollback();
        }
        SnapshotPlace.awaitState(A, id, "complete");
    }

    @Test
    void whatIsCancelledBeforeItBeginsAgainHasEnded() throws SQLException {
        String id;
        try (var _ = holdingUp(A)) {
            id = PLACE.start(A, "again", ", tables => '{t}'");
            Sql.await(A, "SELECT phase LIKE 'waiting for one%' FROM steep_repl.work_progress(" + id + ")", "t");
            A.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'steep_repl job'");
            SnapshotPlace.awaitState(A, id, "failed");
        }
        set("steep_repl.max_jobs = 0");
        try {
            // As the worker knows it.
            Sql.await(A, "SELECT setting FROM steep_repl.known_settings WHERE name = 'steep_repl.max_jobs'", "0");
            A.query("SELECT steep_repl.retry_work(" + id + ")");
            assertThat(A.query("SELECT steep_repl.cancel_work(" + id + ")")).isEqualTo("cancelled");
        } finally {
            set("steep_repl.max_jobs = 16");
        }
        assertThat(A.query("SELECT count(*) FROM steep_repl.work_progress() WHERE state = 'cancelled' AND id = " + id))
                .isEqualTo("1");
        A.execute(
                "INSERT INTO steep_repl.loaded_pieces (work_id, piece, relation, rows) VALUES (999999, 0, 0, 1), (" + id
                        + ", 0, 0, 1)",
                "SELECT steep_repl._prune_work()");
        assertThat(A.rows("SELECT work_id FROM steep_repl.loaded_pieces")).containsExactly(id);
        A.execute("DELETE FROM steep_repl.loaded_pieces");
    }

    @Test
    void moreWorkThanTheServerHasPlacesForWaits() throws SQLException, IOException {
        List<String> here = new ArrayList<>();
        List<String> there = new ArrayList<>();
        String running = "SELECT count(*) FROM steep_repl.work_queue WHERE state = 'running'";
        try (var _ = holdingUp(A);
                var _ = holdingUp(other)) {
            for (int i = 0; i < 9; i++) {
                here.add(PLACE.start(A, "here" + i, ", 'none', 1, '{t}'"));
            }
            Sql.await(A, running, "9");
            for (int i = 0; i < 9; i++) {
                there.add(PLACE.start(other, "there" + i, ", 'none', 1, '{t}'"));
            }
            Sql.await(other, running, "7");
            for (String id : there.subList(7, 9)) {
                Awaitility.await("work " + id + " to wait")
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> Files.readString(A.server().log()).contains("work " + id + " waits for one of"));
            }
            assertThat(state(other, there.get(8))).isEqualTo("pending");
        }
        for (String id : here) {
            SnapshotPlace.awaitState(A, id, "complete");
        }
        for (String id : there) {
            SnapshotPlace.awaitState(other, id, "complete");
        }
        String log = Files.readString(A.server().log());
        for (String id : there.subList(7, 9)) {
            assertThat(log.split("work " + id + " waits for one of the jobs", -1))
                    .as("said once")
                    .hasSize(2);
        }
    }

    private static String failed(String name) throws SQLException {
        try (var _ = holdingUp(A)) {
            String id = PLACE.start(A, name, ", tables => '{t}'");
            Sql.await(A, "SELECT phase LIKE 'waiting for one%' FROM steep_repl.work_progress(" + id + ")", "t");
            A.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'steep_repl job'");
            SnapshotPlace.awaitState(A, id, "failed");
            return id;
        }
    }

    private static String said(String what) {
        return A.query("SELECT count(*) FROM jsonb_array_elements_text(steep_repl.health()->'reasons') r WHERE r LIKE '"
                + what + "'");
    }

    @Test
    void healthSaysNoMoreOfWhatHasBeenDoneOrGivenUp() throws SQLException {
        String first = failed("anew");
        assertThat(said("work " + first + " (snapshot) failed%")).isEqualTo("1");
        PLACE.take(A, "anew", ", tables => '{t}'");
        assertThat(said("work " + first + " (snapshot) failed%")).isEqualTo("0");
        String second = failed("given_up");
        assertThat(said("work " + second + " (snapshot) failed%")).isEqualTo("1");
        assertThat(A.query("SELECT steep_repl.cancel_work(" + second + ")")).isEqualTo("cancelled");
        assertThat(said("work " + second + " (snapshot) failed%")).isEqualTo("0");
    }

    @Test
    void healthSaysWhatKeepsMuchWal() {
        set("max_wal_size = '32MB'");
        Sql.await(A, "SHOW max_wal_size", "32MB");
        String id = PLACE.take(A, "slot", ", tables => '{t}', slot => 'goes_on'");
        String preparation = A.query("SELECT id FROM steep_repl.prepare_node('1 hour')");
        try {
            assertThat(A.query("SELECT s->>'snapshot_id', s->>'slot_name', s->>'active'"
                            + " FROM jsonb_array_elements(steep_repl.health()->'snapshot_slots') s"))
                    .isEqualTo(id + "|goes_on|false");
            assertThat(said("%of WAL%")).isEqualTo("0");
            A.query("SELECT pg_logical_emit_message(false, 'much', repeat('x', 40000000))");
            assertThat(said("slot goes_on of snapshot " + id + " keeps % MB of WAL; drop it%"))
                    .isEqualTo("1");
            assertThat(said("preparation " + preparation + "%keeps % MB of WAL here%"))
                    .isEqualTo("1");
        } finally {
            A.query("SELECT steep_repl.cancel_preparation('" + preparation + "')");
            A.query("SELECT pg_drop_replication_slot('goes_on')");
            A.execute("ALTER SYSTEM RESET max_wal_size", "SELECT pg_reload_conf()");
        }
    }
}
