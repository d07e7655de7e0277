package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the commands show of conflicts that two nodes have just had. */
@ExtendWith(ClusterLogs.class)
class ConflictCommandIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE orders (order_id int PRIMARY KEY, status text, total numeric)");
        }
        a.execute(
                "INSERT INTO orders SELECT g, 'new', 1.50 FROM generate_series(1, 2) g",
                "SELECT steep_repl.add_table('orders')");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT state FROM steep_repl.replicated_tables()", "ready");
            Sql.await(node, "SELECT count(*) FROM orders", "2");
        }
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("SELECT steep_repl.pause('a')");
        a.execute(
                "UPDATE orders SET status = 'processing' WHERE order_id = 1",
                "UPDATE orders SET status = 'processing' WHERE order_id = 2");
        b.execute(
                "UPDATE orders SET status = 'shipped', total = 2.75 WHERE order_id = 1",
                "DELETE FROM orders WHERE order_id = 2");
        a.execute("SELECT steep_repl.resume('b')");
        b.execute("SELECT steep_repl.resume('a')");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.conflict_log", "2");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static String id(TestNode node, int key) {
        return node.query("SELECT id FROM steep_repl.conflict_list() WHERE key->>'order_id' = '" + key + "'");
    }

    @Test
    void bothRowsTheOneBeforeThemAndTheReason() {
        assertThat(Commands.run(a.uri(), "conflict", "show", id(a, 1)).out())
                .containsPattern("#[0-9]+ UPDATE-UPDATE on public.orders, order_id=1\\R")
                .containsPattern(" LOCAL \\(a, .*\\) +REMOTE \\(b, .*\\) +BASE\\R")
                .containsPattern(" order_id +1 +1 +1\\R")
                .containsPattern(" total +\\* 1.50 +\\* 2.75 +1.50\\R")
                .containsPattern(" status +\\* processing +\\* shipped +new\\R")
                .containsPattern(
                        "APPLIED_REMOTE: the remote write stays by last_write_wins; remote is later by [0-9.]+ s")
                .doesNotContain("RESULT");
        assertThat(Commands.run(b.uri(), "conflict", "show", id(b, 1)).out())
                .containsPattern(" LOCAL \\(b, .*\\) +REMOTE \\(a, .*\\) +BASE\\R")
                .contains("KEPT_LOCAL: the local write stays by last_write_wins; local is later by");
        assertThat(Commands.run(a.uri(), "conflict", "show", id(a, 2)).out())
                .contains("UPDATE-DELETE")
                .containsPattern(" status +\\* processing +\\(no row\\) +new\\R");
    }

    @Test
    void anotherStrategyIsTriedOnTheLog() throws IOException {
        Commands.Ended first = Commands.run(a.uri(), "conflict", "replay", "first_write_wins");
        assertThat(first.out())
                .contains("Under first_write_wins 2 of 2 conflicts would have ended otherwise.")
                .containsPattern(
                        "public.orders #[0-9]+ order_id=1: total=2.75, status=shipped, would be total=1.50, status=processing")
                .containsPattern("public.orders #[0-9]+ order_id=2: no row, would be .*status=processing");
        assertThat(Commands.run(a.uri(), "conflict", "replay", "last_write_wins")
                        .out())
                .contains("Under last_write_wins 0 of 2 conflicts would have ended otherwise.");
        JsonNode waiting = Commands.run(a.uri(), "conflict", "replay", "manual", "--table", "orders", "-o", "json")
                .json();
        assertThat(waiting)
                .hasSize(2)
                .allSatisfy(row -> assertThat(row.get("would_wait").asInt()).isEqualTo(1));
        assertThat(Commands.run(a.uri(), "conflict", "replay", "node_priority", "--priority", "a", "--until", "1h")
                        .err())
                .contains("no conflicts to replay");
        assertThat(Commands.run(a.uri(), "conflict", "replay", "magic").err()).contains("unknown strategy", "Known:");
    }

    @Test
    void aStrategyIsGivenAndListed() throws IOException {
        Commands.Ended set =
                Commands.run(a.uri(), "conflict", "strategy", "orders", "node_priority", "--priority", "b,a");
        assertThat(set.out()).contains("Conflicts of orders are decided by node_priority from now on, on all nodes.");
        Sql.await(b, "SELECT strategy, priority FROM steep_repl.replicated_tables()", "node_priority|{b,a}");
        JsonNode shown =
                Commands.run(b.uri(), "conflict", "strategy", "-o", "json").json();
        assertThat(shown.get("tables").get(0).get("priority").toString()).isEqualTo("[\"b\",\"a\"]");
        assertThat(shown.get("strategies"))
                .extracting(s -> s.get("name").asText())
                .contains("last_write_wins", "manual");
        assertThat(Commands.run(a.uri(), "conflict", "strategy", "orders", "keep_local")
                        .err())
                .contains("the nodes differ");
        assertThat(Commands.run(a.uri(), "conflict", "strategy", "orders").err())
                .contains("name the strategy");
        assertThat(Commands.run(a.uri(), "conflict", "strategy", "orders", "last_write_wins")
                        .code())
                .isZero();
    }

    @Test
    void strategiesThatKeepSomethingOfBothSidesAreGivenAndListed() throws IOException {
        String now = "SELECT strategy, delta_columns, resolver FROM steep_repl.replicated_tables()";
        for (TestNode node : cluster.nodes()) {
            node.execute("ALTER TABLE orders ADD COLUMN items int NOT NULL DEFAULT 1");
            node.execute("CREATE FUNCTION either(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb"
                    + " LANGUAGE sql AS $$ SELECT remote $$");
        }
        assertThat(Commands.run(a.uri(), "conflict", "strategy", "orders", "column_merge", "--delta-columns", "items")
                        .out())
                .contains(
                        "Conflicts of orders are decided by column_merge from now on, on all nodes, and sums of items");
        Sql.await(b, now, "column_merge|{items}|");
        assertThat(Commands.run(b.uri(), "conflict", "strategy", "-o", "json")
                        .json()
                        .get("tables")
                        .get(0)
                        .get("delta_columns")
                        .toString())
                .isEqualTo("[\"items\"]");
        JsonNode set = Commands.run(
                        a.uri(),
                        "conflict",
                        "strategy",
                        "orders",
                        "function",
                        "--function",
                        "public.either",
                        "-o",
                        "json")
                .json();
        assertThat(set.get("function").asText()).isEqualTo("public.either");
        Sql.await(b, now, "function||public.either");
        String[][] wrong = {
            {"the strategy function needs --function", "orders", "function"},
            {"--function goes with the strategy function alone", "orders", "manual", "--function", "either"},
            {"an option of a strategy, and no table", "--delta-columns", "items"},
            {"not the name of a function: a.b.c", "orders", "function", "--function", "a.b.c"},
            {"does not exist [42883]", "orders", "function", "--function", "neither"},
            {"delta column total: it may be null", "orders", "last_write_wins", "--delta-columns", "items,total"},
            {"delta column status: its type is text", "orders", "column_merge", "--delta-columns", "status"},
            {"manual takes no delta columns", "orders", "manual", "--delta-columns", "items"},
        };
        for (String[] arguments : wrong) {
            List<String> command = new ArrayList<>(List.of("conflict", "strategy"));
            command.addAll(List.of(arguments).subList(1, arguments.length));
            Commands.Ended ended = Commands.run(a.uri(), command.toArray(String[]::new));
            assertThat(ended.code()).as("%s", command).isNotZero();
            assertThat(ended.err()).contains(arguments[0]);
        }
        Sql.await(b, now, "function||public.either");
        assertThat(Commands.run(a.uri(), "conflict", "strategy", "orders", "last_write_wins")
                        .code())
                .isZero();
        Sql.await(b, now, "last_write_wins||");
    }

    @Test
    void twinsHaveOneConflictKeyOnBothNodes() throws IOException {
        assertThat(keys(a, "b")).hasSize(2).isEqualTo(keys(b, "a"));
    }

    private static List<String> keys(TestNode node, String peer) throws IOException {
        List<String> keys = new ArrayList<>();
        for (JsonNode entry : Commands.run(node.uri(), "conflict", "list", "--peer", peer, "-o", "json")
                .json()) {
            keys.add(entry.get("conflict_key").asText());
        }
        return keys.stream().sorted().toList();
    }

    @Test
    void ourCountsStandBesideThoseOfPostgres() throws IOException {
        // PostgreSQL counts when the apply worker reports, a moment after the fact.
        Sql.await(
                a,
                "SELECT native_update_origin_differs + native_delete_origin_differs > 0 FROM steep_repl.conflict_stats() LIMIT 1",
                "t");
        Commands.Ended stats = Commands.run(a.uri(), "conflict", "stats", "-o", "json");
        assertThat(stats.json()).hasSize(2).allSatisfy(count -> {
            assertThat(count.get("total").asInt()).isEqualTo(1);
            assertThat(count.get("native").get("apply_errors").asInt()).isZero();
        });
        assertThat(Commands.run(a.uri(), "conflict", "stats").out()).contains("PostgreSQL's own counters");
    }
}
