package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.PGConnection;

/** Sessions that get their ids at the ends of ranges, however they ask for them, and sequences that users set. */
@ExtendWith(ClusterLogs.class)
class RangeSessionIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** A table with ranges of ten ids on both nodes. */
    private static void table(String name, String... more) {
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE " + name + " (id bigserial PRIMARY KEY, v text UNIQUE)");
            node.execute(more);
        }
        a.execute("SET steep_repl.default_range_size = 10", "SELECT steep_repl.add_table('" + name + "')");
        Sql.awaitReady(cluster, name);
    }

    private static List<Long> ids(Connection session, String sql) throws SQLException {
        List<Long> ids = new ArrayList<>();
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                ids.add(rows.getLong(1));
            }
        }
        return ids;
    }

    private static long id(Connection session, String table) throws SQLException {
        return ids(session, "INSERT INTO " + table + " DEFAULT VALUES RETURNING id")
                .getFirst();
    }

    private static List<Long> ids(TestNode node, String sql) {
        return node.rows(sql).stream().map(Long::valueOf).toList();
    }

    private static List<Long> upTo(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    /** Every id of a table is in a range of the node that says it wrote it. */
    private static void assertWhose(String table) {
        String strays =
                "SELECT count(*) FROM " + table + " t WHERE NOT EXISTS (SELECT 1 FROM steep_repl.identity_ranges r"
                        + " WHERE r.table_name = '" + table + "' AND t.id BETWEEN r.range_start AND r.range_end)";
        Cluster.awaitEqual(table, cluster.nodes());
        cluster.nodes().forEach(node -> Sql.await(node, strays, "0"));
    }

    /** In which range the worker has seen the sequence of a table. */
    private static String seen(String table) {
        return "SELECT seen_number FROM steep_repl.range_sequences WHERE sequence = '" + table + "_id_seq'::regclass";
    }

    @Test
    void twoSessionsAtTheEdgeGetOneIdEach() throws SQLException {
        table("edge");
        try (Connection one = a.connect();
                Connection other = a.connect()) {
            List<Long> seen =
                    new ArrayList<>(ids(one, "INSERT INTO edge SELECT FROM generate_series(1, 9) RETURNING id"));
            // Both in transactions that are open while the other goes on: neither waits.
            one.setAutoCommit(false);
            other.setAutoCommit(false);
            seen.add(id(one, "edge"));
            for (int turn = 0; turn < 25; turn++) {
                seen.add(id(other, "edge"));
                seen.add(id(one, "edge"));
            }
            one.rollback();
            other.commit();
            seen.add(id(one, "edge"));
            one.commit();
            assertThat(seen).containsExactlyElementsOf(upTo(61));
        }
        assertWhose("edge");
    }

    @Test
    void aTransactionThatKeepsItsSnapshotGoesThroughRanges() throws SQLException {
        table("repeatable");
        try (Connection one = a.connect();
                Connection other = a.connect()) {
            for (int isolation : List.of(Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE)) {
                one.setTransactionIsolation(isolation);
                one.setAutoCommit(false);
                ids(one, "SELECT count(*) FROM repeatable");
                List<Long> seen = new ArrayList<>();
                for (int turn = 0; turn < 8; turn++) {
                    seen.addAll(ids(other, "INSERT INTO repeatable SELECT FROM generate_series(1, 13) RETURNING id"));
                    seen.add(id(one, "repeatable"));
                }
                one.commit();
                assertThat(seen).doesNotHaveDuplicates();
            }
        }
        assertWhose("repeatable");
    }

    @Test
    void aTransactionThatKeepsItsSnapshotSeesWhatWasGivenAwayMeanwhile() throws SQLException {
        table("given");
        try (Connection one = a.connect()) {
            one.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            one.setAutoCommit(false);
            ids(one, "SELECT count(*) FROM given");
            a.query("SELECT steep_repl._grant_share('public', 'given', gen_random_uuid(), 'nobody')");
            a.query("SELECT count(*) FROM steep_repl.allocate_range('public', 'given', 17)");
            a.query("SELECT steep_repl.set_ranges('given', range_size => 7)");
            String many = "INSERT INTO given SELECT FROM generate_series(1, 5000) RETURNING id";
            List<Long> seen = new ArrayList<>(ids(one, many));
            seen.addAll(ids(a, many));
            one.commit();
            seen.addAll(ids(a, many));
            assertThat(seen).doesNotHaveDuplicates().hasSize(15_000);
        }
        assertThat(a.query(
                        "SELECT count(*) FROM given t, steep_repl.range_grants g JOIN steep_repl.range_sequences s USING (line)"
                                + " WHERE g.node_id = 'nobody' AND (t.id - s.base) / s.block >= g.first_block"
                                + " AND (t.id - s.base) / s.block % g.step = g.share_offset"))
                .isEqualTo("0");
    }

    @Test
    void copyGoesThroughRanges() throws Exception {
        table("copied");
        for (TestNode node : cluster.nodes()) {
            try (Connection session = node.connect()) {
                StringBuilder rows = new StringBuilder();
                LongStream.range(0, 500)
                        .forEach(n -> rows.append(node.id()).append(n).append('\n'));
                assertThat(session.unwrap(PGConnection.class)
                                .getCopyAPI()
                                .copyIn("COPY copied (v) FROM STDIN", new StringReader(rows.toString())))
                        .isEqualTo(500);
            }
        }
        Sql.await(a, "SELECT count(*) FROM copied", "1000");
        assertWhose("copied");
        assertThat(a.query("SELECT max(id) FROM copied WHERE v LIKE 'a%'")).isEqualTo("500");
    }

    @Test
    void onConflictGoesThroughRanges() throws SQLException {
        table("upserted");
        try (Connection session = b.connect()) {
            List<Long> first =
                    ids(session, "INSERT INTO upserted (v) SELECT g FROM generate_series(1, 25) g RETURNING id");
            assertThat(
                            ids(
                                    session,
                                    "INSERT INTO upserted (v) SELECT g FROM generate_series(1, 25) g ON CONFLICT DO NOTHING RETURNING id"))
                    .isEmpty();
            assertThat(
                            ids(
                                    session,
                                    "INSERT INTO upserted (v) SELECT g FROM generate_series(1, 25) g ON CONFLICT (v) DO UPDATE SET v = excluded.v RETURNING id"))
                    .containsExactlyElementsOf(first);
            // A row of the peer under its id: it is there, so it is updated.
            a.execute("INSERT INTO upserted (id, v) VALUES (1, 'of a')");
            Sql.await(b, "SELECT v FROM upserted WHERE id = 1", "of a");
            assertThat(
                            ids(
                                    session,
                                    "INSERT INTO upserted (id, v) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = 'by b' RETURNING id"))
                    .containsExactly(1L);
            assertThat(ids(
                            session,
                            "INSERT INTO upserted (v) SELECT 'n' || g FROM generate_series(1, 25) g RETURNING id"))
                    .doesNotContainAnyElementsOf(first);
        }
        assertWhose("upserted");
    }

    @Test
    void aFunctionGetsTheIdThatTheRowHas() {
        table(
                "called",
                "CREATE FUNCTION enter_called(n int) RETURNS SETOF bigint LANGUAGE plpgsql AS $$DECLARE got bigint; BEGIN"
                        + " FOR i IN 1..n LOOP INSERT INTO called DEFAULT VALUES RETURNING id INTO got;"
                        + " IF got <> lastval() OR NOT EXISTS (SELECT 1 FROM called c WHERE c.id = got) THEN RAISE 'the id is not %', got; END IF;"
                        + " RETURN NEXT got; END LOOP; END $$");
        assertThat(ids(a, "SELECT enter_called(45)")).containsExactlyElementsOf(upTo(45));
        assertThat(ids(b, "SELECT enter_called(45)")).doesNotHaveDuplicates().allMatch(id -> id > 45);
        assertWhose("called");
    }

    @Test
    void aTriggerOfTheUserSeesTheIdThatTheRowGets() {
        table(
                "watched",
                "CREATE FUNCTION note_id() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.v := NEW.id; RETURN NEW; END $$",
                "CREATE TRIGGER a_first BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION note_id()");
        a.execute("INSERT INTO watched SELECT FROM generate_series(1, 45)");
        b.execute("INSERT INTO watched SELECT FROM generate_series(1, 45)");
        Sql.await(a, "SELECT count(*), count(*) FILTER (WHERE v = id::text) FROM watched", "90|90");
        assertWhose("watched");
    }

    /** What an application drew and wrote down elsewhere must be the id of its row, or the row must be refused. */
    @Test
    void anIdThatWasDrawnByHandIsNotReplaced() throws SQLException {
        table("by_hand");
        try (Connection one = a.connect();
                Connection other = a.connect()) {
            id(one, "by_hand");
            long within = ids(one, "SELECT nextval('by_hand_id_seq')").getFirst();
            ids(other, "INSERT INTO by_hand SELECT FROM generate_series(1, 25) RETURNING id");
            Sql.await(a, seen("by_hand"), "3");
            assertThat(ids(one, "INSERT INTO by_hand VALUES (" + within + ") RETURNING id"))
                    .containsExactly(within);
            // Up to the end of the range, and one more.
            long last = within;
            do {
                last = ids(one, "SELECT nextval('by_hand_id_seq')").getFirst();
            } while (last % 10 != 1);
            String behind = "INSERT INTO by_hand VALUES (" + last + ") RETURNING id";
            try {
                assertThat(ids(one, behind)).containsExactly(last);
            } catch (SQLException e) {
                assertThat(e.getSQLState()).isEqualTo("23514");
            }
        }
        assertWhose("by_hand");
    }

    @Test
    void aSequenceSetIntoRangesOfOthersComesBack() throws SQLException {
        table("forward");
        long of = ids(b, "INSERT INTO forward DEFAULT VALUES RETURNING id").getFirst();
        Cluster.awaitEqual("forward", cluster.nodes());
        try (Connection session = a.connect()) {
            List<Long> seen =
                    new ArrayList<>(ids(session, "INSERT INTO forward SELECT FROM generate_series(1, 3) RETURNING id"));
            a.query("SELECT setval('forward_id_seq', " + (of + 3) + ")");
            seen.addAll(ids(session, "INSERT INTO forward SELECT FROM generate_series(1, 30) RETURNING id"));
            seen.addAll(ids(a, "INSERT INTO forward SELECT FROM generate_series(1, 30) RETURNING id"));
            // Its very last value: the next insertion finds none at all, until the worker has moved it.
            a.query("SELECT setval('forward_id_seq', 9223372036854775807)");
            Sql.await(a, "SELECT last_value < 1000000 FROM forward_id_seq", "t");
            seen.addAll(ids(session, "INSERT INTO forward SELECT FROM generate_series(1, 3) RETURNING id"));
            assertThat(seen).doesNotHaveDuplicates().hasSize(66);
        }
        assertWhose("forward");
    }

    @Test
    void aSequenceSetBackIntoAnEarlierRangeGivesNothingAgain() throws SQLException {
        table("earlier");
        try (Connection idle = a.connect();
                Connection session = a.connect()) {
            List<Long> seen = new ArrayList<>();
            // It remembers the first range.
            seen.add(id(idle, "earlier"));
            seen.addAll(ids(session, "INSERT INTO earlier SELECT FROM generate_series(1, 34) RETURNING id"));
            // What has been handed out and is not there any more, either.
            session.createStatement().execute("DELETE FROM earlier");
            Sql.await(a, seen("earlier"), "4");
            // The worker must not move it between the draw and the look at what was drawn (docs/internals/range.md).
            idle.setAutoCommit(false);
            idle.createStatement()
                    .execute("SELECT steep_repl._hold_range('earlier_id_seq'::regclass), setval('earlier_id_seq', 3)");
            seen.add(id(idle, "earlier"));
            idle.commit();
            seen.addAll(ids(session, "INSERT INTO earlier SELECT FROM generate_series(1, 30) RETURNING id"));
            assertThat(seen).doesNotHaveDuplicates().hasSize(66);
        }
        assertWhose("earlier");
    }

    @Test
    void aSequenceSetBackWithinItsRangeGoesOnInAnother() throws SQLException {
        table("within");
        try (Connection session = a.connect()) {
            List<Long> seen =
                    new ArrayList<>(ids(session, "INSERT INTO within SELECT FROM generate_series(1, 17) RETURNING id"));
            session.createStatement().execute("DELETE FROM within");
            Sql.await(
                    a,
                    "SELECT seen_value FROM steep_repl.range_sequences WHERE sequence = 'within_id_seq'::regclass",
                    "18");
            a.query("SELECT setval('within_id_seq', 12)");
            Sql.await(
                    a,
                    "SELECT count(*) FROM steep_repl.audit_log WHERE action = 'range.set_back' AND target_id = 'public.within_id_seq'",
                    "1");
            seen.addAll(ids(session, "INSERT INTO within SELECT FROM generate_series(1, 30) RETURNING id"));
            assertThat(seen).doesNotHaveDuplicates().hasSize(47);
        }
        assertWhose("within");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            again_few  | 10
            again_many | 10000
            """)
    void noIdIsGivenTwiceByRestarting(String name, int size) throws SQLException {
        String restart = "TRUNCATE " + name + " RESTART IDENTITY";
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE " + name + " (id bigserial PRIMARY KEY, v text UNIQUE)");
        }
        a.execute("SET steep_repl.default_range_size = " + size, "SELECT steep_repl.add_table('" + name + "')");
        Sql.awaitReady(cluster, name);
        String insert = "INSERT INTO " + name + " SELECT FROM generate_series(1, 300) RETURNING id";
        List<Long> seen = new ArrayList<>();
        try (Connection session = a.connect()) {
            for (int round = 0; round < 3; round++) {
                seen.addAll(ids(session, insert));
                seen.addAll(ids(a, insert));
                session.createStatement().execute(restart);
            }
            session.createStatement().execute("BEGIN; " + restart + "; ROLLBACK");
            seen.addAll(ids(session, insert));
        }
        assertThat(seen).doesNotHaveDuplicates().hasSize(7 * 300);
        for (String alter : List.of(
                "ALTER SEQUENCE " + name + "_id_seq RESTART", "ALTER SEQUENCE " + name + "_id_seq RESTART WITH 7")) {
            assertThat(Sql.error(a, alter)).startsWith("SR047").contains(name + "_id_seq");
        }
        a.execute("ALTER SEQUENCE " + name + "_id_seq CACHE 2");
        assertWhose(name);
    }

    @Test
    void aReleasedRangeGivesNothingAnyMore() throws SQLException {
        table("released");
        try (Connection session = a.connect()) {
            List<Long> seen = new ArrayList<>(
                    ids(session, "INSERT INTO released SELECT FROM generate_series(1, 9) RETURNING id"));
            // At nine of ten the next one has been cut.
            Sql.await(
                    a,
                    "SELECT count(*) FROM steep_repl.identity_ranges WHERE table_name = 'released' AND node_id = 'a' AND status = 'active'",
                    "2");
            Sql.await(
                    a,
                    "SELECT seen_value FROM steep_repl.range_sequences WHERE sequence = 'released_id_seq'::regclass",
                    "10");
            assertThat(a.query("SELECT steep_repl.release_range('public', 'released', 11)"))
                    .isEqualTo("t");
            assertThat(a.query("SELECT steep_repl.release_range('public', 'released', 11)"))
                    .isEqualTo("f");
            seen.addAll(ids(session, "INSERT INTO released SELECT FROM generate_series(1, 5) RETURNING id"));
            // The one in which the sequence is.
            assertThat(a.query("SELECT steep_repl.release_range('public', 'released', 21)"))
                    .isEqualTo("t");
            seen.addAll(ids(session, "INSERT INTO released SELECT FROM generate_series(1, 5) RETURNING id"));
            assertThat(seen)
                    .containsExactly(
                            1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 21L, 22L, 23L, 24L, 31L, 32L, 33L, 34L, 35L);
        }
        assertThat(Sql.error(a, "INSERT INTO released VALUES (15)")).startsWith("23514");
        assertThat(Sql.error(b, "SELECT steep_repl.release_range('public', 'released', 1)"))
                .startsWith("SR082");
        assertThat(Stream.of(
                        a.query("SELECT string_agg(status, ' ' ORDER BY range_start) FROM steep_repl.range_status()"
                                + " WHERE table_name = 'released' AND node_id = 'a' AND range_start IN (11, 21)")))
                .containsExactly("released released");
        assertWhose("released");
    }
}
