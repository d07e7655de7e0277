package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conflicts resolved and reverted by commands. */
@ExtendWith(ClusterLogs.class)
class ResolveCommandIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE orders (id int PRIMARY KEY, status text, total numeric, doc jsonb)");
        }
        a.execute(
                "SELECT steep_repl.add_table('orders')",
                "INSERT INTO orders SELECT g, 'new', 1.50, '{\"k\": [1]}' FROM generate_series(1, 7) g");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT state FROM steep_repl.replicated_tables()", "ready");
            Sql.await(node, "SELECT count(*) FROM orders", "7");
        }
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("SELECT steep_repl.pause('a')");
        a.execute("UPDATE orders SET status = 'alice'");
        b.execute("UPDATE orders SET status = 'bob', total = 2.750");
        a.execute("SELECT steep_repl.resume('b')");
        b.execute("SELECT steep_repl.resume('a')");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NOT NULL", "7");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static String id(TestNode node, int key) {
        return node.query("SELECT min(id) FROM steep_repl.conflict_log WHERE key->>'id' = '" + key + "'");
    }

    private static void awaitRow(int key, String row) {
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT status, total, doc FROM orders WHERE id = " + key, row);
        }
    }

    private static Commands.Ended run(TestNode node, String... args) {
        return Commands.run(node.uri(), args);
    }

    @Test
    void aSideIsChosenAndTheDecisionTakenBack() throws IOException {
        Commands.Ended resolved = run(a, "conflict", "resolve", id(a, 1), "--local", "--reason", "the shop is right");
        assertThat(resolved.code()).as(resolved.err()).isZero();
        assertThat(resolved.out()).isEqualTo("Conflict " + id(a, 1) + " is KEPT_LOCAL, on all nodes.\n");
        awaitRow(1, "alice|1.50|{\"k\": [1]}");
        assertThat(run(a, "conflict", "show", id(a, 1)).out())
                .contains("KEPT_LOCAL: the local write stays by hand", "by postgres@127.0.0.1", "the shop is right");
        Commands.Ended again = run(a, "conflict", "resolve", id(a, 1), "--remote");
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("SR062", "resolved already");
        JsonNode reverted = run(b, "conflict", "revert", id(b, 1), "--reason", "no, bob is", "-o", "json")
                .json();
        assertThat(reverted.get("entry").asLong())
                .isGreaterThan(reverted.get("id").asLong());
        awaitRow(1, "bob|2.750|{\"k\": [1]}");
        Sql.await(a, "SELECT resolution FROM steep_repl.conflict_log WHERE id = " + id(a, 1), "REVERTED");
    }

    @Test
    void aRowIsMergedFromAFileOrByColumns(@TempDir Path folder) throws IOException {
        Path file =
                Files.writeString(folder.resolve("row.json"), "{\"status\": \"both\", \"total\": 4.000, \"doc\": [1]}");
        assertThat(run(b, "conflict", "resolve", id(b, 2), "--merged", file.toString(), "-o", "json")
                        .json()
                        .get("resolution")
                        .asText())
                .isEqualTo("MERGED");
        awaitRow(2, "both|4.000|[1]");
        Commands.Ended set =
                run(a, "conflict", "resolve", id(a, 3), "--set", "status=carol = carol", "--set", "doc={\"n\": 2}");
        assertThat(set.code()).as(set.err()).isZero();
        awaitRow(3, "carol = carol|2.750|{\"n\": 2}");
        run(a, "conflict", "resolve", id(a, 4), "--set", "status");
        awaitRow(4, "|2.750|{\"k\": [1]}");
        Commands.Ended wrong = run(a, "conflict", "resolve", id(a, 5), "--set", "colour=red", "--set", "total=dear");
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).contains("SR064", "there is no column colour", "total is of type numeric");
    }

    @Test
    void manyAreResolvedAtOnceAfterAQuestion() throws IOException {
        String pending =
                "UPDATE steep_repl.conflict_log SET resolution = 'PENDING', resolved_at = NULL, resolved_by = NULL WHERE key->>'id' IN ('6', '7')";
        a.execute(pending);
        b.execute(pending);
        String[] filter = {"conflict", "resolve", "--table", "orders", "--since", "1h", "--remote"};
        assertThat(run(b, with(filter, "--dry-run")).out()).isEqualTo("2 conflicts would be resolved as remote.\n");
        Commands.Ended unasked = run(b, filter);
        assertThat(unasked.code()).isEqualTo(2);
        assertThat(unasked.err()).contains("nobody to ask", "--yes");
        JsonNode all = run(b, with(filter, "--yes", "-o", "json")).json();
        assertThat(all.get("resolved").asInt()).isEqualTo(2);
        assertThat(all.get("dry_run").asBoolean()).isFalse();
        awaitRow(6, "alice|1.50|{\"k\": [1]}");
        awaitRow(7, "alice|1.50|{\"k\": [1]}");
        assertThat(run(b, with(filter, "--yes")).out()).isEqualTo("0 conflicts are resolved as remote.\n");
    }

    private static String[] with(String[] args, String... more) {
        return java.util.stream.Stream.concat(java.util.Arrays.stream(args), java.util.Arrays.stream(more))
                .toArray(String[]::new);
    }

    @ParameterizedTest
    @CsvSource({
        "conflict resolve --local",
        "conflict resolve 1",
        "conflict resolve 1 --local --remote",
        "conflict resolve 1 --local --table orders",
        "conflict resolve 1 --local --dry-run",
        "conflict resolve --table orders --set status=x",
        "conflict resolve --table orders --local --force --yes",
        "conflict resolve --since never --local",
        "conflict resolve 1 --merged /nowhere.json",
        "conflict revert"
    })
    void whatCannotBeMeantIsRefused(String line) {
        assertThat(run(a, line.split(" ")).code()).isEqualTo(2);
    }
}
