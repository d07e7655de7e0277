package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole database of a node in a dump, and what comes of it elsewhere. */
@ExtendWith(ClusterLogs.class)
class DumpNodeIT {
    private static final String ROWS =
            "SELECT string_agg(t, ' ') FROM (SELECT concat_ws('|', id, o.note, l.n, c.n) AS t FROM orders o LEFT JOIN positions l USING (id) LEFT JOIN counter c USING (id) ORDER BY id) r";
    private static final String SUBSCRIPTIONS =
            "SELECT subname, subslotname, subenabled FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()";
    private static final String SLOTS = "SELECT slot_name, database FROM pg_replication_slots ORDER BY 1";

    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;
    private static TestNode elsewhere;
    private static Path programs;
    private static Folder folder;
    private static String archive;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        programs = Debian.postgres(18).bin();
        folder = new Folder();
        cluster = Cluster.start(3).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        elsewhere = cluster.node(2);
        for (TestNode node : List.of(a, b)) {
            tables(node);
        }
        a.execute(
                "SELECT steep_repl.add_table('orders')",
                "SELECT steep_repl.add_table('positions')",
                "SELECT steep_repl.add_table('counter', 'column_merge')");
        for (String table : List.of("orders", "positions", "counter")) {
            Reinit.awaitReady(List.of(a, b), "public." + table);
        }
        a.execute(
                "INSERT INTO orders (note) VALUES ('one'), ('two')", "INSERT INTO positions SELECT id, 1 FROM orders");
        b.execute("INSERT INTO orders (note) VALUES ('of b')", "INSERT INTO counter SELECT id, 1 FROM orders");
        Sql.await(a, "SELECT count(*) FROM counter", b.query("SELECT count(*) FROM counter"));
        Sql.await(a, "SELECT count(*) FROM orders", "3");
        // The log begins with what every database writes first, under the same number.
        assertThat(a.query("SELECT action FROM steep_repl.audit_log WHERE id = 1"))
                .isEqualTo("extension.create");
        a.query("SELECT steep_repl.register_node('later')");
        archive = folder.resolve("node.dump").toString();
        succeeds("pg_dump", a, "-Fc", "-f", archive, a.database());
    }

    private static void tables(TestNode node) {
        node.execute(
                "CREATE TABLE orders (id bigserial PRIMARY KEY, note text UNIQUE)",
                "CREATE TABLE positions (id bigint PRIMARY KEY REFERENCES orders, n int)",
                "CREATE TABLE counter (id bigint PRIMARY KEY, n int)");
    }

    @AfterAll
    static void stop() throws IOException {
        cluster.close();
        folder.close();
    }

    private static void succeeds(String program, TestNode node, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(programs.resolve(program).toString()));
        command.addAll(
                List.of("-h", "127.0.0.1", "-p", Integer.toString(node.server().port()), "-U", "postgres"));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private static TestNode restored(TestNode on, String... how) throws IOException, InterruptedException {
        on.execute("CREATE DATABASE restored");
        List<String> arguments = new ArrayList<>(Arrays.asList(how));
        arguments.addAll(List.of("--exit-on-error", "-d", "restored", archive));
        succeeds("pg_restore", on, arguments.toArray(String[]::new));
        return new TestNode("restored", on.server(), "restored");
    }

    private static void drop(TestNode restored) {
        restored.rows(
                        "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = 'restored'")
                .forEach(name -> restored.execute("DROP SUBSCRIPTION " + name));
        new TestNode("of it", restored.server(), "test").execute("DROP DATABASE restored WITH (FORCE)");
    }

    /** On the very server of the original, where nothing but the database tells the two apart. */
    @ParameterizedTest
    @ValueSource(strings = {"--no-owner", "--single-transaction", "--jobs=2"})
    void itIsRestoredWholeAndIsNoNode(String how) throws IOException, InterruptedException {
        List<String> slots = a.rows(SLOTS);
        TestNode restored = restored(a, how);
        try {
            assertThat(restored.query(ROWS)).isEqualTo(a.query(ROWS));
            assertThat(restored.query("SELECT steep_repl.node_id() IS NULL")).isEqualTo("t");
            assertThat(restored.query("SELECT steep_repl.health()->>'reasons'"))
                    .contains("it was restored from a dump, or is a copy, of one of a, b");
            // Whatever becomes of it, the original's slot stays.
            assertThat(restored.rows(SUBSCRIPTIONS)).singleElement().asString().endsWith("||f");
            // The log of the original, in its order, besides what this database did itself.
            String log = "SELECT occurred_at, action, target_id FROM steep_repl.audit_log WHERE occurred_at <= '"
                    + a.query("SELECT max(occurred_at) FROM steep_repl.audit_log") + "' ORDER BY id";
            assertThat(restored.rows(log)).isEqualTo(a.rows(log)).hasSizeGreaterThan(1);
            restored.execute("SELECT steep_repl.register_node('other')");
            assertThat(restored.query("SELECT target_id FROM steep_repl.audit_log ORDER BY id DESC LIMIT 1"))
                    .isEqualTo("other");
            // It is written to as any database.
            restored.execute(
                    "INSERT INTO orders VALUES (4711, 'any id')",
                    "UPDATE counter SET n = 7",
                    "DELETE FROM positions",
                    "TRUNCATE counter");
            assertThat(Sql.error(restored, "SELECT steep_repl.create_node('a')"))
                    .startsWith("SR002 node id a is that of another database");
        } finally {
            drop(restored);
        }
        assertThat(a.rows(SLOTS)).isEqualTo(slots);
        a.execute("INSERT INTO orders (note) VALUES ('after " + how + "')");
        Sql.await(b, "SELECT count(*) FROM orders WHERE note = 'after " + how + "'", "1");
        b.execute("DELETE FROM orders WHERE note = 'after " + how + "'");
        Cluster.awaitEqual("orders", List.of(a, b));
        Sql.await(a, "SELECT steep_repl.health()->>'status'", "healthy");
    }

    @Test
    void itBecomesANodeOfItsOwnFromWhichOthersStart() throws IOException, InterruptedException {
        TestNode restored = restored(elsewhere);
        String rows = restored.query(ROWS);
        TestNode first = new TestNode("first", elsewhere.server(), "restored").create();
        assertThat(first.rows(SUBSCRIPTIONS)).isEmpty();
        assertThat(first.query("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^[!~]steep_repl_'"))
                .isEqualTo("0");
        assertThat(first.rows("SELECT node_id, status FROM steep_repl.nodes WHERE node_id <> 'first' ORDER BY 1"))
                .containsExactly("a|unknown", "b|unknown", "later|unknown");
        first.execute(
                "SELECT steep_repl.add_table('orders')",
                "SELECT steep_repl.add_table('positions')",
                "SELECT steep_repl.add_table('counter', 'column_merge')");
        assertThat(first.query("SELECT string_agg(state, ' ') FROM steep_repl.replicated_tables()"))
                .isEqualTo("ready ready ready");
        a.execute("CREATE DATABASE second");
        TestNode second = new TestNode("second", a.server(), "second").create();
        tables(second);
        second.query("SELECT steep_repl.start_node('" + first.conninfo() + "', '" + second.conninfo() + "')");
        Sql.await(second, "SELECT state, error FROM steep_repl.start_progress()", "complete|");
        assertThat(second.query(ROWS)).isEqualTo(rows);
        first.execute("INSERT INTO orders (note) VALUES ('by first')", "UPDATE counter SET n = n + 1");
        second.execute("INSERT INTO orders (note) VALUES ('by second')");
        for (TestNode node : List.of(first, second)) {
            Sql.await(node, "SELECT count(*) FROM orders", "5");
            Sql.await(node, "SELECT steep_repl.health()->>'status'", "healthy");
        }
        Cluster.awaitEqual("orders", List.of(first, second));
        Cluster.awaitEqual("counter", List.of(first, second));
        assertThat(b.query("SELECT count(*) FROM orders WHERE note LIKE 'by %'"))
                .isEqualTo("0");
    }

    @Test
    void underTheIdOfTheOriginalItLeavesThatOnesSlotsAlone() throws IOException, InterruptedException {
        List<String> slots = a.rows(SLOTS);
        assertThat(slots).isNotEmpty();
        TestNode restored = restored(a);
        try {
            // Both are said to be gone for good.
            restored.query("SELECT steep_repl.unregister_node('a')");
            restored.query("SELECT steep_repl.unregister_node('b')");
            new TestNode("a", a.server(), "restored").create();
            assertThat(restored.rows("SELECT * FROM steep_repl._slots()")).isEmpty();
            // In one transaction with what frees the slots of those that are gone.
            Sql.await(restored, "SELECT count(*) > 0 FROM steep_repl.beat_history", "t");
            Sql.await(a, "SELECT steep_repl.health()->>'status'", "healthy");
            assertThat(a.rows(SLOTS)).isEqualTo(slots);
        } finally {
            drop(restored);
        }
    }

    @Test
    void withoutTheExtensionItIsAPlainDatabase() throws IOException, InterruptedException {
        TestNode restored = restored(b);
        try {
            restored.execute("DROP EXTENSION steep_repl");
            assertThat(restored.rows(SUBSCRIPTIONS)).isEmpty();
            assertThat(restored.query("SELECT count(*) FROM pg_publication")).isEqualTo("0");
            assertThat(restored.query(ROWS)).isEqualTo(a.query(ROWS));
            assertThat(restored.query("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"))
                    .isEqualTo("0");
            assertThat(restored.query("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'steep%'"))
                    .isEqualTo("0");
            restored.execute("INSERT INTO orders VALUES (4711, 'any id')");
        } finally {
            drop(restored);
        }
    }
}
