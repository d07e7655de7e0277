package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nodes that are filled from a snapshot of one of two that are being written to. */
@ExtendWith(ClusterLogs.class)
class NodeSnapshotIT {
    private static final String FOUR = "four-nodes";
    private static final List<String> TABLES = List.of("t", "acc", "part", "\"Odd \"\"name\"\"\"");

    private Cluster cluster;
    private TestNode a;
    private TestNode b;
    private TestNode c;
    private SnapshotPlace place;

    @BeforeEach
    void start(TestInfo test) {
        cluster = Cluster.start(test.getTags().contains(FOUR) ? 4 : 3).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        c = cluster.node(2);
        place = SnapshotPlace.beside(a);
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE TABLE t (id int PRIMARY KEY, v text)",
                    "CREATE TABLE acc (id int PRIMARY KEY, n int NOT NULL, v text)",
                    "CREATE TABLE part (k text, at timestamptz, v jsonb, PRIMARY KEY (k, at)) PARTITION BY RANGE (at)",
                    "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (MINVALUE) TO ('2026-01-01 UTC')",
                    "CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2026-01-01 UTC') TO (MAXVALUE)",
                    "CREATE TABLE \"Odd \"\"name\"\"\" (\"the \\key\" text PRIMARY KEY, twice int GENERATED ALWAYS AS (2) STORED)",
                    "CREATE TABLE local_only (id int)");
        }
        // The last partition is large enough for its index to be built when it has been loaded.
        a.execute(
                "INSERT INTO acc SELECT g, 0, repeat('x', 200) FROM generate_series(1, 2000) g",
                "INSERT INTO part SELECT 'tab' || chr(9) || g || '\\', '2025-12-31 12:00 UTC'::timestamptz + g * interval '1 hour', jsonb_build_object('a\\b', repeat('c', 170000)) FROM generate_series(1, 40) g",
                "INSERT INTO \"Odd \"\"name\"\"\" VALUES ('a \\ \"quoted\"'), (E'two\\nlines')",
                "SELECT steep_repl.add_tables('public')",
                "SELECT steep_repl.remove_table('local_only')");
        for (TestNode node : List.of(a, b)) {
            Sql.await(
                    node,
                    "SELECT count(*), string_agg(DISTINCT state, ' ') FROM steep_repl.replicated_tables()",
                    "4|ready");
        }
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    /** Rows that both nodes write, so that conflicts are decided all the time; some are deleted. */
    private static Thread quarrel(TestNode node, Writers until) {
        return Thread.ofVirtual().start(() -> {
            while (until.running()) {
                int id = ThreadLocalRandom.current().nextInt(1, 100);
                node.execute("UPDATE acc SET n = n + 1, v = '%s' WHERE id = %d".formatted(node.id(), id));
                if (id % 10 == 0) {
                    node.execute("DELETE FROM acc WHERE id = "
                            + (id + ThreadLocalRandom.current().nextInt(1900)));
                }
            }
        });
    }

    private String prepare() {
        return a.query("SELECT id FROM steep_repl.prepare_node('1 hour')");
    }

    private String startSql(TestNode node, String name) {
        return "SELECT steep_repl.start_node('%s', '%s', 'snapshot', '%s', 2)"
                .formatted(a.conninfo(), node.conninfo(), place.path(name));
    }

    /** A session on c without which nothing is loaded into t. */
    private Connection holdingUpT() throws SQLException {
        Connection session = c.connect();
        session.setAutoCommit(false);
        session.createStatement().execute("LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE");
        return session;
    }

    private void awaitComplete(TestNode node) {
        Sql.await(node, "SELECT state, error FROM steep_repl.start_progress() LIMIT 1", "complete|");
    }

    private void assertEqual(List<TestNode> nodes) {
        for (TestNode node : nodes) {
            Sql.await(
                    node,
                    "SELECT bool_and(state = 'streaming') AND count(*) = %d FROM steep_repl.subscription_status()"
                            .formatted(nodes.size() - 1),
                    "t");
        }
        TABLES.forEach(table -> Cluster.awaitEqual(table, nodes));
        for (TestNode node : nodes) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL", "0");
        }
    }

    @Test
    @Tag(FOUR)
    void oneSnapshotFeedsTwoNodesWhileAllAreWrittenTo() throws InterruptedException {
        TestNode d = cluster.node(3);
        Thread[] quarrels;
        try (Writers writers = Writers.on(a, b)) {
            quarrels = new Thread[] {quarrel(a, writers), quarrel(b, writers)};
            Sql.await(a, "SELECT count(*) > 100 FROM t", "t");
            String id = prepare();
            place.take(a, "one", ", preparation => '" + id + "'");
            int before = writers.written();
            Sql.await(b, "SELECT count(*) > %d FROM t".formatted(before + 100), "t");
            c.query(startSql(c, "one"));
            awaitComplete(c);
            try (Writers third = Writers.on(c)) {
                Sql.await(a, "SELECT count(*) > 50 FROM t WHERE v LIKE 'c%'", "t");
                // The same files: what c has written since is not in them.
                d.query(startSql(d, "one"));
                awaitComplete(d);
                assertThat(third.written()).isPositive();
            }
        }
        for (Thread thread : quarrels) {
            thread.join();
        }
        assertEqual(cluster.nodes());
        assertThat(c.query("SELECT count(*) FROM local_only")).isEqualTo("0");
        a.execute("SELECT steep_repl.cancel_preparation(id) FROM steep_repl.preparations()");
        for (TestNode node : cluster.nodes()) {
            assertThat(node.query("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%kept%'"))
                    .isEqualTo("0");
        }
    }

    @Test
    void aWriteThatIsOlderThanTheSnapshotsRowIsRefusedByItsVersion() {
        // b's write is on its way when a, which does not receive it yet, writes the same row later.
        a.execute("SELECT steep_repl.pause('b')");
        String id;
        try {
            b.execute("UPDATE acc SET v = 'older' WHERE id IN (1, 2)", "DELETE FROM acc WHERE id = 3");
            a.execute(
                    "SELECT pg_sleep(0.05)",
                    "UPDATE acc SET v = 'later' WHERE id IN (1, 3)",
                    "DELETE FROM acc WHERE id = 2");
        } finally {
            a.execute("SELECT steep_repl.resume('b')");
        }
        Cluster.awaitEqual("acc", List.of(a, b));
        Sql.awaitStreaming(a, "b");
        id = prepare();
        place.take(a, "one", ", preparation => '" + id + "'");
        c.query(startSql(c, "one"));
        awaitComplete(c);
        assertThat(c.query("SELECT string_agg(id || v, ' ' ORDER BY id) FROM acc WHERE id <= 3"))
                .isEqualTo(a.query("SELECT string_agg(id || v, ' ' ORDER BY id) FROM acc WHERE id <= 3"));
        assertThat(
                        c.rows(
                                "SELECT v.version_time, v.version_node FROM steep_repl.row_versions v WHERE relation = 'acc'::regclass AND key_id = steep_repl._key_id('acc'::regclass, '{\"id\": 1}')"))
                .containsExactly(a.query("SELECT pg_xact_commit_timestamp(xmin), 'a' FROM acc WHERE id = 1"));
        assertThat(c.query("SELECT count(*) FROM steep_repl.tombstones WHERE relation = 'acc'::regclass"))
                .isEqualTo(a.query("SELECT count(*) FROM steep_repl.tombstones WHERE relation = 'acc'::regclass"));
        assertEqual(List.of(a, b, c));
    }

    @Test
    void aKilledTargetGoesOnAndMissesNothing() {
        try (Writers writers = Writers.on(a, b)) {
            String id = prepare();
            place.take(a, "one", ", preparation => '" + id + "'");
            for (String moment : List.of("running", "loading")) {
                // When it is complete already it is not begun again.
                assertThat(Sql.error(c, startSql(c, "one"))).matches("(?s)no error|.*this node is linked with.*");
                Sql.await(
                        c,
                        "SELECT state = 'complete' OR state || phase LIKE '%" + moment
                                + "%' FROM steep_repl.start_progress() LIMIT 1",
                        "t");
                c.server().kill9();
                c.server().start();
            }
            awaitComplete(c);
            assertThat(writers.written()).isPositive();
        }
        assertEqual(List.of(a, b, c));
    }

    @Test
    void whatIsLoadedStaysWhenTheProcessThatJoinsTheNodeEnds() throws SQLException {
        String id = prepare();
        place.take(a, "one", ", preparation => '" + id + "'");
        String loaded = "SELECT string_agg(DISTINCT xmin::text, ' ') FROM acc";
        String before;
        try (var _ = holdingUpT()) {
            c.query(startSql(c, "one"));
            Sql.await(c, "SELECT count(*) FROM acc", "2000");
            before = c.query(loaded);
            String process = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'steep_repl initialisation'";
            String pid = c.query(process);
            c.query("SELECT pg_terminate_backend(" + pid + ")");
            Sql.await(c, "SELECT count(*) FROM (" + process + ") p WHERE pid <> " + pid, "1");
            Sql.await(c, "SELECT attempts > 1 FROM steep_repl.work_queue", "t");
        }
        awaitComplete(c);
        assertThat(c.query(loaded)).isEqualTo(before);
        assertEqual(List.of(a, b, c));
    }

    @Test
    void whatFailsForGoodLeavesANodeThatCanBeStartedAgain() throws Exception {
        String id = prepare();
        place.take(a, "one", ", preparation => '" + id + "'");
        Path piece = place.path("one").resolve("data/000000.000.copy.zst");
        byte[] whole = Files.readAllBytes(piece);
        byte[] broken = whole.clone();
        broken[broken.length / 2] ^= 1;
        Files.write(piece, broken);
        c.query(startSql(c, "one"));
        Sql.await(c, "SELECT state FROM steep_repl.start_progress() LIMIT 1", "failed");
        assertThat(c.query("SELECT error FROM steep_repl.start_progress() LIMIT 1"))
                .contains("000000.000.copy.zst");
        Sql.await(c, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        b.execute("INSERT INTO t VALUES (-1, 'meanwhile')");
        Files.write(piece, whole);
        c.query(startSql(c, "one"));
        awaitComplete(c);
        assertEqual(List.of(a, b, c));
    }

    @Test
    void aTableThatIsWrittenToWhileItIsLoadedDoesNotJoin() throws SQLException {
        String id = prepare();
        place.take(a, "one", ", preparation => '" + id + "'");
        // The load waits behind it; then one row is another's.
        try (var _ = holdingUpT()) {
            c.query(startSql(c, "one"));
            Sql.await(c, "SELECT count(*) FROM acc", "2000");
            c.execute("UPDATE acc SET n = 99 WHERE id = 7");
        }
        Sql.await(c, "SELECT state FROM steep_repl.start_progress() LIMIT 1", "failed");
        assertThat(c.query("SELECT error FROM steep_repl.start_progress() LIMIT 1"))
                .contains("public.acc")
                .contains("was written to while");
        assertThat(
                        c.query(
                                "SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM steep_repl.replicated_tables() WHERE state <> 'failed'"))
                .isEqualTo("Odd \"name\" part t");
        b.execute("INSERT INTO t VALUES (-1, 'later')");
        Cluster.awaitEqual("t", List.of(a, b, c));
    }

    @Test
    void aTableThatIsAddedLaterIsCopied() {
        String id = prepare();
        place.take(a, "one", ", preparation => '" + id + "'");
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE later (id int PRIMARY KEY)"));
        a.execute("INSERT INTO later SELECT generate_series(1, 10)", "SELECT steep_repl.add_table('later')");
        Sql.await(a, "SELECT bool_and(state = 'ready') FROM steep_repl.replicated_tables()", "t");
        c.query(startSql(c, "one"));
        awaitComplete(c);
        Cluster.awaitEqual("later", List.of(a, b, c));
        assertEqual(List.of(a, b, c));
    }

    @Test
    void allProblemsAreNamedAtOnce() {
        assertThat(Sql.error(a, "SELECT steep_repl.prepare_node('99 days')"))
                .contains("SR115")
                .contains("30 days");
        String id = prepare();
        place.take(a, "plain", "");
        place.take(a, "one", ", preparation => '" + id + "'");
        assertThat(Sql.error(
                        a,
                        "SELECT * FROM steep_repl.start_snapshot('" + place.path("x")
                                + "', preparation => gen_random_uuid(), slot => 'mine')"))
                .contains("SR110")
                .contains("there is no preparation")
                .contains("the slots are its own");
        assertThat(Sql.error(
                        b,
                        "SELECT * FROM steep_repl.start_snapshot('" + place.path("x") + "', preparation => '" + id
                                + "')"))
                .contains("was made on a");
        assertThat(Sql.error(c, startSql(c, "plain"))).contains("SR045").contains("was not taken for new nodes");
        assertThat(Sql.error(c, startSql(c, "one").replace(a.conninfo(), b.conninfo())))
                .contains("one of node a, not of the source, node b");
        assertThat(Sql.error(c, "SELECT steep_repl.start_node('x', 'y', 'magic', NULL, 99)"))
                .contains("method is 'magic'")
                .contains("parallel is 99");
        assertThat(Sql.error(b, startSql(b, "one"))).contains("linked with a already");
        c.execute("INSERT INTO acc VALUES (1, 1, 'mine')", "ALTER TABLE t ADD w int");
        assertThat(Sql.error(c, startSql(c, "one"))).contains("acc holds rows").contains("column w");
        c.execute("TRUNCATE acc", "ALTER TABLE t DROP w");
        a.execute("SELECT steep_repl.remove_table('acc')");
        Sql.await(b, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_name = 'acc'", "0");
        a.execute("SELECT steep_repl.add_table('acc', existing => 'identical')");
        Sql.await(a, "SELECT bool_and(state = 'ready') FROM steep_repl.replicated_tables()", "t");
        assertThat(Sql.error(c, startSql(c, "one"))).contains("acc was removed and added again");
        b.execute("SELECT steep_repl.cancel_preparation('" + id + "')");
        a.execute("SELECT steep_repl.cancel_preparation('" + id + "')");
        assertThat(Sql.error(c, startSql(c, "one"))).contains("a does not keep its stream for preparation");
        assertThat(Sql.error(a, "SELECT steep_repl.cancel_preparation('" + id + "')"))
                .contains("SR116");
        assertThat(c.query("SELECT count(*) FROM pg_subscription")).isEqualTo("0");
    }

    @Test
    void whatExpiresKeepsNoWal() {
        a.execute("SELECT steep_repl.prepare_node('15 seconds')");
        for (TestNode node : List.of(a, b)) {
            assertThat(node.query("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%kept%'"))
                    .isEqualTo("1");
        }
        for (TestNode node : List.of(a, b)) {
            Sql.await(node, "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%kept%'", "0");
            Sql.await(node, "SELECT count(*) FROM steep_repl.audit_log WHERE action = 'node.prepare_expired'", "1");
        }
        // What a session left that was killed before it had written its row.
        a.execute("SELECT pg_create_logical_replication_slot('steep_repl_kept_orphan', 'pgoutput')");
        Sql.await(a, "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%kept%'", "0");
    }

    @Test
    void aStartIsCancelled() throws SQLException {
        String id = prepare();
        place.take(a, "one", ", preparation => '" + id + "'");
        String start;
        try (var _ = holdingUpT()) {
            start = c.query(startSql(c, "one"));
            Sql.await(c, "SELECT count(*) FROM acc", "2000");
            assertThat(c.query("SELECT steep_repl.cancel_start(" + start + ")")).isEqualTo("cancelled");
        }
        Sql.await(c, "SELECT count(*) FROM acc", "0");
        SnapshotPlace.awaitState(c, c.query("SELECT max(id) FROM steep_repl.work_queue"), "cancelled");
        assertThat(c.query("SELECT phase FROM steep_repl.start_progress() LIMIT 1"))
                .isEqualTo("cancelled");
        assertThat(Sql.error(c, "SELECT steep_repl.cancel_start(" + start + ")"))
                .contains("SR118");
        Sql.await(c, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        c.query(startSql(c, "one"));
        awaitComplete(c);
        assertEqual(List.of(a, b, c));
    }

    @Test
    void theCommandsDoTheSame() {
        Commands.Ended prepared = Commands.run(a.uri(), "node", "prepare", "--expires", "1h", "-o", "json");
        assertThat(prepared.code()).as(prepared.err()).isZero();
        assertThat(prepared.err()).contains("snapshot generate PATH --preparation");
        String id = a.query("SELECT id FROM steep_repl.preparations()");
        assertThat(prepared.out()).contains("\"id\":\"" + id + "\"").contains("\"members\":[\"b\"]");
        Commands.Ended taken =
                Commands.run(a.uri(), "snapshot", "generate", place.path("one").toString(), "--preparation", id);
        assertThat(taken.code()).as(taken.err()).isZero();
        Commands.Ended started = Commands.run(
                c.uri(),
                "node",
                "start",
                c.uri(),
                "--from",
                a.uri(),
                "--method",
                "snapshot",
                "--path",
                place.path("one").toString());
        assertThat(started.code()).as(started.err()).isZero();
        assertThat(started.out() + started.err()).contains("started: 4 tables");
        Commands.Ended progress = Commands.run(c.uri(), "node", "progress", "-o", "json");
        assertThat(progress.out()).contains("\"state\":\"complete\"").contains("\"preparations\":[");
        Commands.Ended cancelled = Commands.run(a.uri(), "node", "cancel", id);
        assertThat(cancelled.code()).as(cancelled.err()).isZero();
        assertThat(Commands.run(a.uri(), "node", "cancel", id).err()).contains("there is no preparation");
        assertEqual(List.of(a, b, c));
    }
}
