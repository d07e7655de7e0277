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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of replicated tables in the archives of pg_dump: what pg_restore writes on a node reaches the others, and what it would break is refused. */
@ExtendWith(ClusterLogs.class)
class DumpIT {
    private static final String ALL =
            "SELECT string_agg(t, ' ') FROM (SELECT concat_ws('|', o.id, o.note, l.n) AS t FROM orders o LEFT JOIN positions l USING (id) ORDER BY o.id) r";

    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;
    private static Path programs;
    private static Folder folder;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        programs = Debian.postgres(18).bin();
        folder = new Folder();
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE ROLE clerk LOGIN");
        }
    }

    @AfterAll
    static void stop() throws IOException {
        cluster.close();
        folder.close();
    }

    /** Rows of both nodes, with ids of both: 1 and 2 of a, the others of b. */
    @BeforeEach
    void tables() {
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE TABLE orders (id bigserial PRIMARY KEY, note text UNIQUE)",
                    "CREATE TABLE positions (id bigint PRIMARY KEY REFERENCES orders, n int)",
                    "GRANT ALL ON orders, positions, orders_id_seq TO clerk");
        }
        a.execute("SELECT steep_repl.add_table('orders')", "SELECT steep_repl.add_table('positions')");
        Sql.awaitReady(cluster, "orders");
        Sql.awaitReady(cluster, "positions");
        a.execute(
                "INSERT INTO orders (note) VALUES ('one'), ('two')", "INSERT INTO positions SELECT id, 1 FROM orders");
        Sql.await(b, "SELECT count(*) FROM positions", "2");
        b.execute("INSERT INTO orders (note) VALUES ('of b')", "INSERT INTO positions SELECT max(id), 2 FROM orders");
        Sql.await(a, "SELECT count(*) FROM positions", "3");
    }

    @AfterEach
    void noTables() {
        for (String table : List.of("positions", "orders")) {
            a.execute("SELECT steep_repl.remove_table('" + table + "')");
            String gone = "SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_name = '" + table + "'";
            cluster.nodes().forEach(node -> Sql.await(node, gone, "0"));
            cluster.nodes().forEach(node -> node.execute("DROP TABLE " + table));
        }
    }

    /** What a program ended with. */
    private record Ended(int code, String output) {}

    /** Runs one of PostgreSQL's programs with node a's database. */
    private static Ended run(String program, String role, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(programs.resolve(program).toString()));
        command.addAll(
                List.of("-h", "127.0.0.1", "-p", Integer.toString(a.server().port()), "-U", role));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    private static void succeeds(Ended ended) {
        assertThat(ended.code()).as(ended.output()).isZero();
    }

    /** An archive of the two tables as they are. */
    private static String dump() throws IOException, InterruptedException {
        String archive = folder.resolve("rows.dump").toString();
        succeeds(run("pg_dump", "postgres", "-Fc", "-t", "orders", "-t", "positions", "-f", archive, a.database()));
        return archive;
    }

    private static void bothHold(String rows) {
        cluster.nodes().forEach(node -> Sql.await(node, ALL, rows));
        Cluster.awaitEqual("orders", cluster.nodes());
        Cluster.awaitEqual("positions", cluster.nodes());
        cluster.nodes()
                .forEach(node -> assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log"))
                        .as("conflicts on %s", node.id())
                        .isEqualTo("0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"clerk --single-transaction", "postgres --disable-triggers"})
    void rowsThatArePutBackReachThePeer(String how) throws IOException, InterruptedException {
        String rows = a.query(ALL);
        String archive = dump();
        a.execute("DELETE FROM positions", "DELETE FROM orders");
        Sql.await(b, "SELECT count(*) FROM orders", "0");
        // A load of rows that have their ids, also those of another node.
        a.execute("SELECT steep_repl.enable_bypass('orders', interval '1 hour', 'rows of a dump')");
        String[] role = how.split(" ");
        succeeds(run("pg_restore", role[0], "--data-only", role[1], "-d", a.database(), archive));
        a.execute("SELECT steep_repl.disable_bypass('orders')");
        bothHold(rows);
        // Their ids are not given once more, and what comes after replicates, too.
        cluster.nodes()
                .forEach(node -> node.execute("INSERT INTO orders (note) VALUES ('after, on " + node.id() + "')"));
        cluster.nodes().forEach(node -> Sql.await(node, "SELECT count(*) FROM orders", "5"));
        Cluster.awaitEqual("orders", cluster.nodes());
    }

    @Test
    void anIdOfAnotherNodeIsRefusedAndNothingIsHalfPutBack() throws IOException, InterruptedException {
        String archive = dump();
        // Not DELETE: what the index still has is no new id.
        a.execute("TRUNCATE positions, orders");
        Sql.await(b, "SELECT count(*) FROM orders", "0");
        Ended ended = run("pg_restore", "clerk", "--data-only", "--single-transaction", "-d", a.database(), archive);
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.output()).contains("enable_bypass");
        bothHold("");
    }

    /** The archive itself holds the constraint and the triggers of a replicated table. */
    @Test
    void itIsRestoredWholeWhereNobodyReplicates() throws IOException, InterruptedException {
        String rows = a.query(ALL);
        String archive = dump();
        a.execute("CREATE DATABASE restored");
        try {
            TestNode restored = new TestNode("restored", a.server(), "restored");
            restored.execute("CREATE EXTENSION steep_repl");
            succeeds(run("pg_restore", "postgres", "--exit-on-error", "-d", "restored", archive));
            assertThat(restored.query(ALL)).isEqualTo(rows);
            restored.execute("INSERT INTO orders VALUES (4711, 'any id')");
        } finally {
            a.execute("DROP DATABASE restored WITH (FORCE)");
        }
        bothHold(rows);
    }

    @Test
    void cleanIsRefusedAndTheTableReplicatesAsBefore() throws IOException, InterruptedException {
        String rows = a.query(ALL);
        String archive = dump();
        Ended ended = run("pg_restore", "postgres", "--clean", "-d", a.database(), archive);
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.output()).contains("it is replicated");
        bothHold(rows);
        Sql.await(a, "SELECT steep_repl.health()->>'status'", "healthy");
        String shape = "SELECT steep_repl.compute_fingerprint('public', 'orders')";
        assertThat(a.query(shape)).isEqualTo(b.query(shape));
        cluster.nodes()
                .forEach(node -> node.execute("INSERT INTO orders (note) VALUES ('after, on " + node.id() + "')"));
        cluster.nodes().forEach(node -> Sql.await(node, "SELECT count(*) FROM orders", "5"));
        Cluster.awaitEqual("orders", cluster.nodes());
    }
}
