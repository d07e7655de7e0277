package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Taking snapshots and loading them, from SQL alone. */
@ExtendWith(ClusterLogs.class)
class SnapshotIT {
    private static final Cluster CLUSTER = Cluster.start(2);
    private static final TestNode A = CLUSTER.node(0);
    private static final TestNode B = CLUSTER.node(1);
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    @AfterEach
    void dropTables() {
        CLUSTER.nodes().forEach(node -> node.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"));
    }

    private static final String[] TABLES = {
        "CREATE TABLE plain (id serial PRIMARY KEY, t text, n numeric, f float8, b bytea, j jsonb, a int[], at timestamptz)",
        "CREATE TABLE \"Odd \"\"name\"\"\" (\"a b\" int, \"Ünicode\" text)",
        "CREATE TABLE nothing (x int)",
        "CREATE TABLE kept (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED)",
        "CREATE TABLE parts (id int, k text) PARTITION BY RANGE (id)",
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (50)",
        "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (50) TO (100)",
        "CREATE TABLE child (id int PRIMARY KEY REFERENCES plain, wide text)",
        // With a column that was dropped, the numbers of columns differ from their places.
        "CREATE TABLE dropped (a int, gone int, z int)",
        "ALTER TABLE dropped DROP COLUMN gone",
        "CREATE SEQUENCE free START 7 INCREMENT 3",
    };

    private static void fill() {
        A.execute(
                "INSERT INTO plain (t, n, f, b, j, a, at) SELECT E'tab\\t\\\\ line\\n' || i, i / 3.0, i / 7.0::float8, decode(md5(i::text), 'hex'),"
                        + " jsonb_build_object('k', i), ARRAY[i, NULL], now() - i * interval '1 day' FROM generate_series(1, 5000) i",
                "INSERT INTO plain (t, n, f, at) VALUES (NULL, 'NaN', 'Infinity', '-infinity'), ('\\N', 'Infinity', '-0', 'infinity'), ('', 0, 'NaN', NULL)",
                "INSERT INTO \"Odd \"\"name\"\"\" VALUES (1, NULL), (2, ''), (NULL, 'ü')",
                "INSERT INTO kept (v) SELECT generate_series(1, 100)",
                "DELETE FROM kept WHERE id % 2 = 0",
                "INSERT INTO parts SELECT i, 'k' || i FROM generate_series(0, 99) i",
                "INSERT INTO child SELECT i, (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 500) j) FROM generate_series(1, 50) i",
                "INSERT INTO dropped VALUES (1, 26)",
                "SELECT nextval('free')",
                "SELECT nextval('free')");
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip", "lz4", "zstd"})
    void allKindsOfTablesArriveWhole(String compression) {
        CLUSTER.nodes().forEach(node -> node.execute(TABLES));
        fill();
        PLACE.take(A, compression, ", '" + compression + "', 3");
        PLACE.apply(B, compression, ", 2");
        for (String table : List.of(
                "plain",
                "\"Odd \"\"name\"\"\"",
                "nothing",
                "kept",
                "parts",
                "parts_1",
                "parts_2",
                "child",
                "dropped")) {
            assertThat(B.contents(table)).as(table).isEqualTo(A.contents(table));
        }
        String next = "SELECT nextval('plain_id_seq'), nextval('kept_id_seq'), nextval('free')";
        assertThat(B.query(next)).isEqualTo("5004|101|13").isEqualTo(A.query(next));
        assertThat(B.query("SELECT count(*) FROM steep_repl.loaded_pieces")).isEqualTo("0");
        String id = A.query("SELECT max(id) FROM steep_repl.list_snapshots()");
        assertThat(A.query("SELECT tables, rows FROM steep_repl.list_snapshots() WHERE id = " + id))
                .isEqualTo("8|5207");
        assertThat(A.query("SELECT count(*), count(problem) FROM steep_repl.verify_snapshot('" + PLACE.path(compression)
                        + "')"))
                .isEqualTo("9|0");
        assertThat(A.query("SELECT steep_repl.delete_snapshot(" + id + ")"))
                .isEqualTo(PLACE.path(compression).toString());
        assertThat(PLACE.path(compression)).doesNotExist();
    }

    @Test
    void onlyTheTablesThatWereNamed() {
        CLUSTER.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE one (id serial)",
                        "CREATE TABLE two (id serial)",
                        "CREATE SCHEMA side",
                        "CREATE TABLE side.three (id serial)",
                        "INSERT INTO one DEFAULT VALUES",
                        "INSERT INTO side.three DEFAULT VALUES"));
        B.execute("TRUNCATE one, side.three");
        PLACE.take(A, "some", ", tables => '{one,side.*}'");
        B.execute("DROP TABLE two");
        PLACE.apply(B, "some", "");
        assertThat(B.query("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM side.three)"))
                .isEqualTo("1|1");
        CLUSTER.nodes().forEach(node -> node.execute("DROP SCHEMA side CASCADE"));
    }

    @Test
    void aLargeTableIsSharedByTheStreams() {
        CLUSTER.nodes().forEach(node -> node.execute("CREATE TABLE large (id int PRIMARY KEY, filler text)"));
        A.execute("INSERT INTO large SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 80000) i");
        String id = PLACE.take(A, "large", ", 'lz4', 2");
        assertThat(A.query("SELECT count(*) FROM steep_repl.verify_snapshot('" + PLACE.path("large") + "')"))
                .isEqualTo("4");
        PLACE.apply(B, "large", ", 2");
        assertThat(B.contents("large")).isEqualTo(A.contents("large"));
        A.query("SELECT steep_repl.delete_snapshot(" + id + ")");
    }

    @Test
    void oneMomentOfAllTablesAndASlotThatGoesOnFromThere() throws SQLException, InterruptedException {
        CLUSTER.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE accounts (id int PRIMARY KEY, balance bigint)",
                        "CREATE TABLE moves (id serial PRIMARY KEY, amount bigint)"));
        A.execute(
                "INSERT INTO accounts SELECT i, 0 FROM generate_series(1, 100) i",
                "CREATE PUBLICATION all_of_it FOR TABLE accounts, moves");
        AtomicBoolean enough = new AtomicBoolean();
        List<Thread> writers = List.of(writer(enough), writer(enough));
        try {
            Sql.await(A, "SELECT count(*) > 200 FROM moves", "t");
            PLACE.take(A, "moment", ", 'zstd', 2, slot => 'goes_on'");
            PLACE.apply(B, "moment", "");
            String sums = "SELECT (SELECT sum(balance) FROM accounts) - (SELECT sum(amount) FROM moves)";
            assertThat(A.query(sums)).isEqualTo("0");
            assertThat(B.query(sums)).isEqualTo("0");
            String before = B.query("SELECT count(*) FROM moves");
            Sql.await(A, "SELECT count(*) > " + before + " + 200 FROM moves", "t");
        } finally {
            enough.set(true);
            for (Thread writer : writers) {
                writer.join();
            }
        }
        B.execute("CREATE SUBSCRIPTION goes_on CONNECTION '" + A.conninfo()
                + "' PUBLICATION all_of_it WITH (create_slot = false, slot_name = 'goes_on', copy_data = false)");
        Cluster.awaitEqual("moves", CLUSTER.nodes());
        Cluster.awaitEqual("accounts", CLUSTER.nodes());
        assertThat(B.query("SELECT apply_error_count FROM pg_stat_subscription_stats WHERE subname = 'goes_on'"))
                .isEqualTo("0");
        B.execute("DROP SUBSCRIPTION goes_on");
    }

    private static Thread writer(AtomicBoolean enough) {
        return Thread.ofVirtual().start(() -> {
            try (var connection = A.connect();
                    var statement = connection.createStatement()) {
                while (!enough.get()) {
                    statement.execute(
                            "DO $$ DECLARE a int := random() * 100; BEGIN INSERT INTO moves (amount) VALUES (a);"
                                    + " UPDATE accounts SET balance = balance + a WHERE id = 1 + a % 100; END $$");
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void theSessionMayGoAndOthersSeeHowFarItIs() throws SQLException, IOException {
        A.execute("CREATE TABLE seen (id int)", "INSERT INTO seen VALUES (1)");
        try (Listener listener = Listener.on(A, "steep_repl_progress")) {
            // The session that asks ends with the call.
            String id = PLACE.take(A, "seen", "");
            List<String> heard = new ArrayList<>();
            while (heard.stream().noneMatch(text -> text.contains("\"state\": \"complete\""))) {
                List<String> more = listener.hear(1);
                assertThat(more).as("after %s", heard).isNotEmpty();
                heard.addAll(more);
            }
            assertThat(heard)
                    .hasSizeGreaterThanOrEqualTo(5)
                    .allMatch(text -> text.replace(" ", "").contains("\"id\":" + id + ",\"kind\":\"snapshot\""));
            assertThat(heard.getLast()).contains("\"state\": \"complete\"").contains("\"percent\": 100.0");
            assertThat(A.query("SELECT state, percent, tables_done, tables_total, rows_done, error IS NULL"
                            + " FROM steep_repl.snapshot_progress(" + id + ")"))
                    .isEqualTo("complete|100.0|1|1|1|t");
        }
        assertThat(PLACE.names()).contains("seen");
        Awaitility.await("the processes to go")
                .atMost(Duration.ofSeconds(20))
                .until(() -> A.query("SELECT count(*) FROM pg_stat_activity WHERE backend_type IN"
                                + " ('steep_repl job', 'steep_repl stream')")
                        .equals("0"));
    }
}
