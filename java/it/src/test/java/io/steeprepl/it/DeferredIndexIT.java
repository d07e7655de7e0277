package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Indexes of large tables are built when a snapshot has been loaded, and however that ends they are there. */
@ExtendWith(ClusterLogs.class)
class DeferredIndexIT {
    private static final Cluster CLUSTER = Cluster.start(2);
    private static final TestNode A = CLUSTER.node(0);
    private static final TestNode B = CLUSTER.node(1);
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);
    private static final String VALID =
            "SELECT string_agg(DISTINCT indisvalid::text || indisready, ' ') FROM pg_index WHERE indrelid = 'big'::regclass";
    private static final String BUILT = "truetrue";
    private static final String DEFERRED = "falsefalse";

    @BeforeAll
    static void aSnapshot() {
        tables(A);
        A.execute(
                "INSERT INTO big SELECT i, 'v' || i, int8range(i, i + 1), repeat('b', 60) FROM generate_series(1, 60000) i",
                "INSERT INTO gate VALUES (1)");
        PLACE.take(A, "one", "");
    }

    /** With a key, an index on an expression, a constraint that is looked at when a transaction ends, and one that excludes. */
    private static void tables(TestNode node) {
        node.execute(
                "DROP TABLE IF EXISTS big, gate",
                "CREATE TABLE big (id int PRIMARY KEY, v text UNIQUE DEFERRABLE INITIALLY DEFERRED, r int8range, note text,"
                        + " EXCLUDE USING gist (r WITH &&))",
                "CREATE INDEX big_lower ON big (lower(v)) WHERE id > 10",
                "CREATE INDEX big_words ON big USING gin (to_tsvector('simple', v))",
                "CREATE TABLE gate (id int PRIMARY KEY)");
    }

    @BeforeEach
    void emptyTables() {
        tables(B);
    }

    @AfterEach
    void allIndexesAreThere() {
        assertThat(B.query(VALID)).isEqualTo(BUILT);
        assertThat(B.query("SELECT count(*) FROM steep_repl.deferred_indexes")).isEqualTo("0");
        // The process that led the work holds its lock until it has ended.
        Sql.await(B, "SELECT count(*) FROM pg_locks WHERE relation = 'big'::regclass", "0");
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    /** A load that has brought the large table, and waits for the small one as long as the session lasts. */
    private record Half(String id, Connection session) implements AutoCloseable {
        static Half begin() throws SQLException {
            Connection session = B.connect();
            session.setAutoCommit(false);
            session.createStatement().execute("LOCK TABLE gate IN SHARE MODE");
            String id = PLACE.startApply(B, "one", ", 1");
            Sql.await(B, "SELECT count(*) FROM steep_repl.loaded_pieces WHERE work_id = " + id, "1");
            return new Half(id, session);
        }

        @Override
        public void close() throws SQLException {
            session.close();
        }
    }

    private static void assertWhole() {
        assertThat(B.contents("big")).isEqualTo(A.contents("big"));
        assertThat(Sql.error(B, "INSERT INTO big VALUES (7, 'new', 'empty')")).contains("big_pkey");
        assertThat(Sql.error(B, "INSERT INTO big VALUES (-7, 'v7', 'empty')")).contains("big_v_key");
        assertThat(Sql.error(B, "INSERT INTO big VALUES (-7, 'new', '[7,8)')")).contains("big_r_excl");
        assertThat(B.query("SELECT id FROM big WHERE lower(v) = 'v77' AND id > 10"))
                .isEqualTo("77");
    }

    /** Else whoever may make a schema there would have a function of theirs called by the server itself. */
    @Test
    void whatIsCalledLikeOursInADatabaseWithoutTheExtensionIsNotAsked() {
        A.execute("CREATE DATABASE bare");
        TestNode bare = new TestNode("bare", A.server(), "bare");
        bare.execute(
                "CREATE SCHEMA steep_repl",
                "CREATE TABLE steep_repl.deferred_indexes (x int)",
                "INSERT INTO steep_repl.deferred_indexes VALUES (1)",
                "CREATE FUNCTION steep_repl._indexes_unbuilt(oid) RETURNS TABLE (name text, indexes text, work text) LANGUAGE plpgsql"
                        + " AS $$ BEGIN RAISE EXCEPTION 'asked as %', current_user; END $$",
                "CREATE TABLE mine (id int)",
                "INSERT INTO mine VALUES (1)");
        assertThat(bare.query("SELECT count(*) FROM mine")).isEqualTo("1");
    }

    @Test
    void theyAreBuiltWhenAllRowsAreThereAndNobodyWritesUntilThen() throws Exception {
        CompletableFuture<Void> writer;
        String id;
        try (Half half = Half.begin()) {
            id = half.id();
            assertThat(B.query(VALID)).isEqualTo(DEFERRED);
            assertThat(B.query("SELECT count(*) FROM big WHERE id = 7")).isEqualTo("1");
            writer = CompletableFuture.runAsync(() -> B.execute("UPDATE big SET note = 'mine' WHERE id = 7"));
            Sql.await(B, "SELECT count(*) FROM pg_locks WHERE relation = 'big'::regclass AND NOT granted", "1");
        }
        SnapshotPlace.awaitState(B, id, "complete");
        writer.get();
        assertThat(B.query("SELECT note FROM big WHERE id = 7")).isEqualTo("mine");
        B.execute("UPDATE big SET note = repeat('b', 60) WHERE id = 7");
        assertWhole();
    }

    @Test
    void aLoadThatIsCancelledOrFailsLeavesThemBuilt() throws SQLException {
        try (Half half = Half.begin()) {
            B.query("SELECT steep_repl.cancel_work(" + half.id() + ")");
            SnapshotPlace.awaitState(B, half.id(), "cancelled");
        }
        assertThat(B.query("SELECT count(*) FROM big")).isEqualTo("0");
        allIndexesAreThere();

        String id;
        try (Half half = Half.begin()) {
            id = half.id();
            B.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'steep_repl stream'");
            SnapshotPlace.awaitState(B, id, "failed");
        }
        assertThat(B.query("SELECT count(*) FROM big")).isEqualTo("60000");
        allIndexesAreThere();
        B.query("SELECT steep_repl.retry_work(" + id + ")");
        SnapshotPlace.awaitState(B, id, "complete");
        assertWhole();
    }

    @Test
    void rowsOfAPublishedTableAreTakenBackToo() throws SQLException {
        B.execute("CREATE PUBLICATION elsewhere FOR TABLE big");
        try (Half half = Half.begin()) {
            B.query("SELECT steep_repl.cancel_work(" + half.id() + ")");
            SnapshotPlace.awaitState(B, half.id(), "cancelled");
        } finally {
            B.execute("DROP PUBLICATION elsewhere");
        }
        assertThat(B.query("SELECT count(*) FROM big")).isEqualTo("0");
    }

    @Test
    void whereTriggersFireTheyAreKeptUpToDateInstead() throws SQLException {
        B.execute(
                "CREATE TABLE counter (n int)",
                "INSERT INTO counter VALUES (0)",
                "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$ BEGIN UPDATE public.counter SET n = n + (SELECT count(*) FROM rows); RETURN NULL; END $$",
                "CREATE TRIGGER counted AFTER INSERT ON big REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION counted()",
                "ALTER TABLE big ENABLE ALWAYS TRIGGER counted");
        try (Half half = Half.begin()) {
            assertThat(B.query(VALID)).isEqualTo(BUILT);
            B.query("SELECT steep_repl.cancel_work(" + half.id() + ")");
            SnapshotPlace.awaitState(B, half.id(), "cancelled");
        }
        B.execute("DROP TABLE big, counter", "DROP FUNCTION counted");
        emptyTables();
    }

    @Test
    void afterACrashTheyAreBuiltByThemselves() throws SQLException {
        String id;
        try (Half half = Half.begin()) {
            id = half.id();
            B.server().kill9();
            B.server().start();
        }
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(B.query("SELECT sqlstate, error FROM steep_repl.work_queue WHERE id = " + id))
                .startsWith("57P02|interrupted");
        allIndexesAreThere();
        B.query("SELECT steep_repl.retry_work(" + id + ")");
        SnapshotPlace.awaitState(B, id, "complete");
        assertWhole();
    }

    /** Kills the server half way, and has nobody come to build indexes before {@link #letThemBeBuilt}. */
    private static String crash() throws SQLException {
        try (Half half = Half.begin()) {
            B.execute("ALTER SYSTEM SET steep_repl.max_jobs = 0");
            B.server().kill9();
            B.server().start();
            return half.id();
        }
    }

    private static void letThemBeBuilt() {
        B.execute("ALTER SYSTEM RESET steep_repl.max_jobs", "SELECT pg_reload_conf()");
    }

    @Test
    void afterACrashTheTableTakesNoRowsBeforeTheyAreBuilt() throws SQLException {
        String id = crash();
        String refused = "55000 table public.big takes no rows until its indexes are built:";
        for (String write : new String[] {
            "INSERT INTO big VALUES (7, 'twice', 'empty')",
            "INSERT INTO big SELECT 7, 'twice', 'empty' ON CONFLICT DO NOTHING",
            "UPDATE big SET id = 7 WHERE id = 8",
            "COPY big (id) FROM PROGRAM 'echo 7'",
            "MERGE INTO big USING (VALUES (7)) n (id) ON big.id = -1 WHEN NOT MATCHED THEN INSERT VALUES (n.id)",
        }) {
            assertThat(Sql.error(B, write))
                    .startsWith(refused)
                    .contains("big_pkey, public.big_v_key, public.big_r_excl")
                    .contains("Work " + id);
        }
        B.execute("CREATE TABLE parent (LIKE big)", "ALTER TABLE big INHERIT parent");
        assertThat(Sql.error(B, "UPDATE parent SET id = 7")).startsWith(refused);
        B.execute("ALTER TABLE big NO INHERIT parent", "DROP TABLE parent");
        B.execute("SELECT 1 FROM big WHERE id = 8 FOR UPDATE", "DELETE FROM big WHERE id = 8");
        try (Connection session = B.connect();
                var statement = session.createStatement()) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> statement.execute("UPDATE big SET id = 7"))
                    .hasMessageContaining("takes no rows");
            letThemBeBuilt();
            SnapshotPlace.awaitState(B, id, "failed");
            statement.execute("INSERT INTO big VALUES (8, 'v8', '[8,9)', repeat('b', 60))");
        }
        assertWhole();
        // That row is of somebody else.
        B.query("SELECT steep_repl.cancel_work(" + id + ")");
        SnapshotPlace.awaitState(B, id, "cancelled");
        assertThat(B.query("SELECT count(*) FROM big")).isEqualTo("1");
    }

    @Test
    void whatKeepsThemFromBeingBuiltIsSaidAndCanBeMended() throws SQLException {
        String id = crash();
        // As replication would.
        B.execute("SET session_replication_role = replica", "INSERT INTO big VALUES (7, 'twice', 'empty')");
        letThemBeBuilt();
        SnapshotPlace.awaitState(B, id, "failed");
        assertThat(B.query("SELECT sqlstate, error FROM steep_repl.work_queue WHERE id = " + id))
                .startsWith("23505|interrupted")
                .contains("Indexes could not be built")
                .contains("Key (id)=(7) is duplicated");
        assertThat(B.query("SELECT steep_repl.health()->>'reasons'"))
                .contains("indexes are not used, because work " + id + " has not built them: public.big_pkey");
        assertThat(Sql.error(B, "INSERT INTO big VALUES (-7)"))
                .startsWith("55000 table public.big takes no rows until its indexes are built: public.big_pkey /")
                .contains("Work " + id + ", which has loaded a snapshot into it, is failed.");
        B.query("SELECT steep_repl.cancel_work(" + id + ")");
        SnapshotPlace.awaitState(B, id, "cancelled");
        assertThat(B.query("SELECT v FROM big")).isEqualTo("twice");
        B.execute("INSERT INTO big VALUES (-7, 'once', 'empty')");
    }

    @Test
    void whereSomebodyWritesTheyAreKeptUpToDateInstead() throws SQLException {
        String id;
        try (Connection writer = B.connect()) {
            writer.setAutoCommit(false);
            writer.createStatement().execute("DELETE FROM big");
            id = PLACE.startApply(B, "one", "");
            Sql.await(B, "SELECT count(*) FROM big", "60000");
            assertThat(B.query(VALID)).isEqualTo(BUILT);
        }
        SnapshotPlace.awaitState(B, id, "complete");
        assertWhole();
    }
}
