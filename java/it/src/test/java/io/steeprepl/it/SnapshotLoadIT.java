package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Loads into tables that others empty, drop, write to and load meanwhile: what is complete is whole. */
@ExtendWith(ClusterLogs.class)
class SnapshotLoadIT {
    private static final Cluster CLUSTER = Cluster.start(2);
    private static final TestNode A = CLUSTER.node(0);
    private static final TestNode B = CLUSTER.node(1);
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);
    private static final String QUICK = "CREATE UNLOGGED TABLE quick (id int, v text)";

    @BeforeAll
    static void aSnapshot() {
        tables(A);
        A.execute(
                "INSERT INTO parent SELECT i, repeat('p', 100) FROM generate_series(1, 2000) i",
                "INSERT INTO quick SELECT i, repeat('q', 100) FROM generate_series(1, 1000) i",
                "INSERT INTO child SELECT i, i FROM generate_series(1, 100) i");
        PLACE.take(A, "one", "");
    }

    private static void tables(TestNode node) {
        node.execute(
                "DROP TABLE IF EXISTS child, parent, quick",
                "CREATE TABLE parent (id int PRIMARY KEY, v text)",
                QUICK,
                "CREATE TABLE child (id int, parent int REFERENCES parent)");
    }

    @BeforeEach
    void emptyTables() {
        tables(B);
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(B.query("SELECT count(*) FROM steep_repl.loaded_pieces")).isEqualTo("0");
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    /** A session without whose end nothing is loaded into the table. */
    private static Connection holdingUp(String table) throws SQLException {
        Connection session = B.connect();
        session.setAutoCommit(false);
        session.createStatement().execute("LOCK TABLE " + table + " IN SHARE MODE");
        return session;
    }

    /** A load whose largest two tables are in, and which waits for the third. */
    private static String half() {
        String id = PLACE.startApply(B, "one", ", 1");
        Sql.await(B, "SELECT count(*) FROM steep_repl.loaded_pieces WHERE work_id = " + id, "2");
        return id;
    }

    private static void retry(String id) {
        B.query("SELECT steep_repl.retry_work(" + id + ")");
    }

    private static String error(String id) {
        return B.query("SELECT sqlstate, error FROM steep_repl.work_queue WHERE id = " + id);
    }

    private static void assertWhole() {
        for (String table : List.of("parent", "quick", "child")) {
            assertThat(B.contents(table)).as(table).isEqualTo(A.contents(table));
        }
    }

    @Test
    void whatIsGoneWhenALoadGoesOnIsLoadedAgain() throws SQLException {
        String id;
        try (var _ = holdingUp("child")) {
            id = half();
            // Recovery empties quick.
            B.server().kill9();
            B.server().start();
        }
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(B.query("SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM quick)"))
                .isEqualTo("2000|0");
        B.execute("TRUNCATE parent, child");
        try (var _ = holdingUp("child")) {
            retry(id);
            Sql.await(B, "SELECT count(*) FROM quick", "1000");
            B.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'steep_repl stream'");
            SnapshotPlace.awaitState(B, id, "failed");
        }
        B.execute("DROP TABLE quick", QUICK, "DELETE FROM parent WHERE id % 2 = 0");
        retry(id);
        SnapshotPlace.awaitState(B, id, "complete");
        assertWhole();
    }

    @Test
    void rowsThatGoWhileOthersAreLoadedAreMissed() throws SQLException {
        String id;
        try (var _ = holdingUp("child")) {
            id = half();
            B.execute("DELETE FROM parent WHERE id <= 50", "UPDATE quick SET v = 'x' WHERE id = 1");
        }
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(error(id))
                .startsWith("SR122")
                .contains("public.parent: of 2000 rows that were loaded 50 were deleted or changed")
                .contains("public.quick: of 1000 rows that were loaded 1 were deleted or changed")
                .contains("public.quick holds 1 rows that this work has not loaded");
        retry(id);
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(error(id)).startsWith("SR110").contains("public.quick holds rows: 1 that");
        B.execute("DELETE FROM quick WHERE v = 'x'");
        retry(id);
        SnapshotPlace.awaitState(B, id, "complete");
        assertWhole();
    }

    @Test
    void twoLoadsDoNotFillTheSameTables() throws SQLException {
        String again = "SELECT id FROM steep_repl.start_apply('" + PLACE.path("one") + "')";
        String first;
        String second;
        try (var _ = holdingUp("quick");
                var sees = B.connect();
                var session = sees.createStatement()) {
            sees.setAutoCommit(false);
            sees.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            // Nothing of what comes after this.
            session.execute("SELECT 1");
            first = PLACE.startApply(B, "one", ", 1");
            Sql.await(B, "SELECT phase FROM steep_repl.work_progress(" + first + ")", "loading");
            assertThat(Sql.error(B, again))
                    .startsWith("SR110")
                    .contains("work " + first + ", which is running, loads into public.child, public.parent");
            try (var asked = session.executeQuery(again)) {
                asked.next();
                second = asked.getString(1);
            }
            sees.commit();
            SnapshotPlace.awaitState(B, second, "failed");
            assertThat(error(second)).startsWith("SR110").contains("work " + first + ", which is running, loads");
        }
        SnapshotPlace.awaitState(B, first, "complete");
        assertWhole();
    }

    @Test
    void aLoadThatFailedKeepsItsTablesToItself() throws SQLException {
        String id = halfAndFailed();
        B.execute("TRUNCATE parent, child, quick");
        assertThat(Sql.error(B, "SELECT steep_repl.start_apply('" + PLACE.path("one") + "')"))
                .startsWith("SR110")
                .contains("work " + id + ", which failed, has loaded into public.parent, public.quick: retry_work(" + id
                        + ")");
        B.query("SELECT steep_repl.cancel_work(" + id + ")");
        SnapshotPlace.awaitState(B, id, "cancelled");
        PLACE.apply(B, "one", "");
        assertWhole();
    }

    private static String halfAndFailed() throws SQLException {
        try (var _ = holdingUp("child")) {
            String id = half();
            B.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'steep_repl stream'");
            SnapshotPlace.awaitState(B, id, "failed");
            return id;
        }
    }

    @Test
    void whatIsTakenBackLeavesNoDeadRows() throws SQLException {
        String id = halfAndFailed();
        try (Listener listener = Listener.on(B, "steep_repl_progress")) {
            B.query("SELECT steep_repl.cancel_work(" + id + ")");
            SnapshotPlace.awaitState(B, id, "cancelled");
            assertThat(listener.hear(2).getFirst()).contains("taking back what was loaded");
        }
        assertThat(B.query("SELECT pg_relation_size('parent'), pg_relation_size('quick')"))
                .isEqualTo("0|0");
    }

    @Test
    void whatCannotBeTakenBackIsSaid() throws SQLException {
        String id = halfAndFailed();
        // Rows of others, and one who reads: then they are deleted one by one.
        B.execute(
                "INSERT INTO child VALUES (-1, 5)",
                "INSERT INTO quick VALUES (-1, 'of others')",
                "ALTER TABLE parent REPLICA IDENTITY NOTHING",
                "CREATE PUBLICATION theirs FOR TABLE parent");
        String cancel = "SELECT steep_repl.cancel_work(" + id + ")";
        B.query(cancel);
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(error(id))
                .startsWith("55000")
                .contains("could not be taken back")
                .contains("replica identity");
        assertThat(B.query("SELECT count(*) FROM parent")).isEqualTo("2000");
        B.execute("DROP PUBLICATION theirs");
        B.query(cancel);
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(error(id)).startsWith("23503").contains("rows of public.child, which this work has not loaded");
        B.execute("DELETE FROM child");
        B.query(cancel);
        SnapshotPlace.awaitState(B, id, "cancelled");
        assertThat(B.query("SELECT (SELECT count(*) FROM parent), (SELECT string_agg(v, ' ') FROM quick)"))
                .isEqualTo("0|of others");
    }

    @Test
    void progressRisesOnceAndIsNotThatOfAnEarlierAttempt() throws SQLException, IOException {
        String id = halfAndFailed();
        try (Listener listener = Listener.on(B, "steep_repl_progress")) {
            try (var _ = holdingUp("child")) {
                retry(id);
                String loading = " FROM steep_repl.work_progress(" + id + ") WHERE phase = 'loading'";
                Sql.await(B, "SELECT percent > 75" + loading, "t");
                assertThat(B.query("SELECT seconds_left IS NULL" + loading)).isEqualTo("t");
            }
            SnapshotPlace.awaitState(B, id, "complete");
            List<String> phases = new ArrayList<>();
            double before = 0;
            while (!phases.contains("complete")) {
                // As many as have come.
                for (String text : listener.hear(1)) {
                    JsonNode heard = new ObjectMapper().readTree(text);
                    phases.add(heard.get("phase").textValue());
                    assertThat(heard.get("percent").doubleValue()).isGreaterThanOrEqualTo(before);
                    before = heard.get("percent").doubleValue();
                }
            }
            assertThat(phases)
                    .contains("counting what is loaded", "checking the files", "loading", "counting the rows");
        }
        assertWhole();
    }

    @Test
    void tablesThatAreDroppedOrChangedMeanwhile() throws SQLException {
        String id;
        try (var other = holdingUp("child")) {
            id = half();
            other.createStatement().execute("DROP TABLE child");
            other.commit();
        }
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(error(id)).startsWith("SR110").contains("public.child was dropped while");
        B.execute("CREATE TABLE child (id int, parent int REFERENCES parent)");
        try (var other = holdingUp("child")) {
            retry(id);
            Sql.await(B, "SELECT phase FROM steep_repl.work_progress(" + id + ")", "loading");
            other.createStatement().execute("ALTER TABLE child ALTER id TYPE bigint");
            other.commit();
        }
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(error(id))
                .startsWith("SR110")
                .contains("public.child was changed while")
                .contains("column id is bigint here and integer in the snapshot");
        B.execute("ALTER TABLE child ALTER id TYPE int");
        retry(id);
        SnapshotPlace.awaitState(B, id, "complete");
        assertWhole();
    }
}
