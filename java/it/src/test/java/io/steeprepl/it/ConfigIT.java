package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The strategies that a file says, held against two linked nodes and applied to them. */
@ExtendWith(ClusterLogs.class)
class ConfigIT {
    private static final List<String> TABLES =
            List.of("public.item", "public.orders", "shop.customer_preferences", "shop.inventory", "shop.item");
    private static final String STRATEGIES =
            "SELECT string_agg(table_schema || '.' || table_name || ' ' || strategy || coalesce(priority::text, ''), ', ' ORDER BY 1) FROM (SELECT * FROM steep_repl.replicated_tables() ORDER BY 1, 2) t";
    private static final String SAID = "SELECT count(*) FROM steep_repl.table_events WHERE action = 'strategy'";
    private static final String UNTOUCHED = "\"Shop\".\"Big Orders\"";

    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE SCHEMA shop",
                    "CREATE SCHEMA \"Shop\"",
                    "CREATE TABLE " + UNTOUCHED + " (id int PRIMARY KEY)");
            TABLES.forEach(table -> node.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, v text)"));
        }
        TABLES.forEach(table -> a.execute("SELECT steep_repl.add_table('" + table + "')"));
        // It can have no strategy but last_write_wins.
        a.execute("SELECT steep_repl.add_table('" + UNTOUCHED + "', before_images => false)");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'ready'", "6");
        }
        a.execute(
                "CREATE ROLE anna LOGIN IN ROLE steep_repl_admin",
                "CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer",
                "GRANT USAGE ON SCHEMA shop TO anna",
                "ALTER TABLE shop.inventory OWNER TO anna");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void everyTableHasTheUsualStrategy() {
        TABLES.forEach(
                table -> a.execute("SELECT steep_repl.set_conflict_strategy('" + table + "', 'last_write_wins')"));
        String expected = a.query(STRATEGIES);
        assertThat(expected).doesNotContain("manual", "priority", "keep_local", "first");
        Sql.await(b, STRATEGIES, expected);
    }

    private Commands.Ended run(TestNode node, String yaml, String... command) throws IOException {
        return runAs("postgres", node, yaml, command);
    }

    private Commands.Ended runAs(String role, TestNode node, String yaml, String... command) throws IOException {
        Path file = folder.resolve("config.yaml");
        Files.writeString(file, yaml);
        String[] line = new String[command.length + 3];
        line[0] = "--config";
        line[1] = file.toString();
        line[2] = "config";
        System.arraycopy(command, 0, line, 3, command.length);
        return Commands.run(node.uri().replace("postgres@", role + "@"), line);
    }

    private static final String SHOP = """
            repl:
              node_id: a
            replication:
              identity_ranges: {enabled: true}
              conflicts:
                default_strategy: last_write_wins
                tables:
                  orders:
                    strategy: manual
                  inventory:
                    strategy: last_write_wins
                  customer_preferences:
                    strategy: node_priority
                    priority: [b, a]
            """;

    @Test
    void applyTravelsToAllNodesAndASecondOneDoesNothing() throws IOException {
        Commands.Ended before = run(a, SHOP, "check");
        assertThat(before.code()).as(before.err()).isEqualTo(1);
        assertThat(before.out())
                .containsPattern("public.orders +9 +manual +last_write_wins\\R")
                .containsPattern("shop.customer_preferences +13 +node_priority \\[b, a\\] +last_write_wins\\R")
                .doesNotContain("inventory");
        String untouched = a.query(STRATEGIES);
        String said = a.query(SAID);
        assertThat(run(a, SHOP, "apply")).satisfies(asks -> {
            assertThat(asks.code()).isEqualTo(2);
            assertThat(asks.err()).contains("nobody to ask whether to change 2 tables", "--yes");
        });
        assertThat(run(a, SHOP, "apply", "--dry-run")).satisfies(dry -> {
            assertThat(dry.code()).isZero();
            assertThat(dry.out()).contains("2 tables would be changed, on all nodes.");
        });
        assertThat(a.query(STRATEGIES)).isEqualTo(untouched);
        assertThat(a.query(SAID)).isEqualTo(said);

        Commands.Ended applied = run(a, SHOP, "apply", "--yes");
        assertThat(applied.code()).as(applied.err()).isZero();
        assertThat(applied.out())
                .containsPattern("public.orders +9 +last_write_wins +manual\\R")
                .contains("2 tables are changed, on all nodes.");
        assertThat(applied.err())
                .contains("After a conflict under manual the nodes differ in that row of public.orders");
        String now = a.query(STRATEGIES);
        assertThat(now)
                .contains(
                        "public.orders manual",
                        "shop.customer_preferences node_priority{b,a}",
                        "shop.inventory last_write_wins");
        Sql.await(b, STRATEGIES, now);
        for (TestNode node : cluster.nodes()) {
            assertThat(run(node, SHOP, "check").code()).isZero();
        }

        said = a.query(SAID);
        JsonNode again = run(a, SHOP, "apply", "-o", "json").json();
        assertThat(again.get("changed")).isEmpty();
        assertThat(again.get("equal").asInt()).isEqualTo(6);
        assertThat(a.query(SAID)).isEqualTo(said);
    }

    @Test
    void whatSomebodyChangesBySqlIsDrift() throws IOException {
        assertThat(run(a, SHOP, "apply", "--yes").code()).isZero();
        b.execute("SELECT steep_repl.set_conflict_strategy('shop.customer_preferences', 'node_priority', '{a,b}')");
        Sql.await(
                a,
                "SELECT priority FROM steep_repl.replicated_tables() WHERE table_name = 'customer_preferences'",
                "{a,b}");
        Commands.Ended check = run(a, SHOP, "check", "-o", "json");
        assertThat(check.code()).isEqualTo(1);
        JsonNode drift = check.json().get("drift");
        assertThat(drift).hasSize(1);
        assertThat(drift.get(0).toString())
                .isEqualTo(
                        "{\"table_schema\":\"shop\",\"table_name\":\"customer_preferences\",\"line\":13,"
                                + "\"file\":{\"strategy\":\"node_priority\",\"priority\":[\"b\",\"a\"],\"delta_columns\":[],\"resolver\":null},"
                                + "\"database\":{\"strategy\":\"node_priority\",\"priority\":[\"a\",\"b\"],\"delta_columns\":[],\"resolver\":null}}");
        JsonNode changed = run(a, SHOP, "apply", "--yes", "-o", "json").json().get("changed");
        assertThat(changed).hasSize(1);
        assertThat(run(a, SHOP, "check").code()).isZero();
    }

    @Test
    void tablesThatAreNotListedGetTheDefaultOrStayAsTheyAre() throws IOException {
        String listed = "replication: {conflicts: {tables: {orders: {strategy: first_write_wins}}}}";
        Commands.Ended check = run(a, listed, "check");
        assertThat(run(a, listed, "check", "-o", "json")
                        .json()
                        .get("unlisted")
                        .get(0)
                        .toString())
                .isEqualTo("{\"table_schema\":\"Shop\",\"table_name\":\"Big Orders\"}");
        assertThat(check.err()).contains("The file says nothing of 5 replicated tables: Shop.Big Orders, public.item");
        String byDefault = """
                replication:
                  conflicts:
                    default_strategy: node_priority
                    default_priority: [a]
                    tables:
                      '"Shop"."Big Orders"': {strategy: last_write_wins}
                      shop.item: {strategy: first_write_wins}
                """;
        assertThat(run(a, byDefault, "apply", "--yes").code()).isZero();
        assertThat(a.query(STRATEGIES))
                .isEqualTo(
                        "Shop.Big Orders last_write_wins, public.item node_priority{a}, public.orders node_priority{a}, "
                                + "shop.customer_preferences node_priority{a}, shop.inventory node_priority{a}, shop.item first_write_wins");
        assertThat(run(a, "repl: {}", "check")).satisfies(nothing -> {
            assertThat(nothing.code()).isZero();
            assertThat(nothing.err()).contains("no section replication.conflicts, and no replication.identity_ranges");
        });
    }

    private static final String FOLDS = """
            replication:
              conflicts:
                tables:
                  shop.stock: {strategy: last_write_wins, delta_columns: [kept, on_hand]}
                  inventory: {strategy: function, resolver: shop.merge}
            """;

    @Test
    void sumsAndFunctionsAreComparedAndApplied() throws IOException {
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE TABLE shop.stock (id int PRIMARY KEY, on_hand int NOT NULL, kept int NOT NULL)",
                    "CREATE FUNCTION shop.merge(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT remote $$");
        }
        a.execute("SELECT steep_repl.add_table('shop.stock')");
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'stock'", "ready");
        Commands.Ended refused = run(a, FOLDS.replace("kept", "held").replace("merge", "merged"), "apply", "--yes");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("2 of 2 changes were refused", "held", "shop.merged");
        assertThat(run(a, FOLDS, "check").out())
                .containsPattern("shop.stock +4 +last_write_wins, sums of kept, on_hand +last_write_wins\\R")
                .containsPattern("shop.inventory +5 +function shop.merge +last_write_wins\\R");
        Commands.Ended applied = run(a, FOLDS, "apply", "--yes");
        assertThat(applied.code()).as(applied.err()).isZero();
        Sql.await(
                b,
                "SELECT string_agg(strategy || coalesce(delta_columns::text, resolver), ', ' ORDER BY table_name) FROM steep_repl.replicated_tables() WHERE coalesce(delta_columns::text, resolver) <> ''",
                "functionshop.merge, last_write_wins{kept,on_hand}");
        // The order of the columns has no meaning.
        assertThat(run(b, FOLDS.replace("kept, on_hand", "on_hand, kept"), "check")
                        .code())
                .isZero();
        a.execute("SELECT steep_repl.remove_table('shop.stock')");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_name = 'stock'", "0");
            node.execute("DROP TABLE shop.stock");
        }
    }

    private static final String BAD = """
            replication:
              conflicts:
                default_strategy: newest
                colour: red
                tables:
                  orders: manual
                  shop.inventory: {strategy: last_write_win}
                  shop.inventori: {strategy: manual}
                  item: {strategy: manual}
                  shop.item: {strategy: node_priority}
                  customer_preferences:
                    strategy: node_priority
                    priority: [a, c, 3]
                  shop.customer_preferences:
                    strategy: manual
                    priority: [a]
                  public.orders:
                    priority: [b]
                  "two words": {strategy: 7, prioriti: []}
                  public.item: {strategy: manual}
                  public.item: {strategy: keep_local}
            """;

    @Test
    void allProblemsOfAFileAreSaidAtOnceAndNothingIsChanged() throws IOException {
        String before = a.query(STRATEGIES);
        String said = a.query(SAID);
        Commands.Ended check = run(a, BAD, "check", "-o", "json");
        assertThat(check.code()).isEqualTo(2);
        assertThat(check.json().get("compared").asBoolean()).isFalse();
        assertThat(check.json().get("problems"))
                .allSatisfy(
                        problem -> assertThat(problem.get("remedy").asText()).isNotEmpty())
                .extracting(problem -> problem.get("line").asInt() + " "
                        + problem.get("key").asText().replaceFirst("^replication\\.conflicts\\.", "") + ": "
                        + problem.get("problem").asText())
                .containsExactly(
                        "3 default_strategy: unknown strategy \"newest\"",
                        "4 colour: unknown key",
                        "6 tables.orders: keys with values are expected, not a text",
                        "7 tables.shop.inventory.strategy: unknown strategy \"last_write_win\"",
                        "8 tables.shop.inventori: shop.inventori is not a replicated table",
                        "9 tables.item: item may be one of several tables",
                        "10 tables.shop.item.strategy: node_priority needs a list of nodes, the first wins",
                        "13 tables.customer_preferences.priority: unknown node \"c\"",
                        "13 tables.customer_preferences.priority: a text is expected, not a number",
                        "14 tables.shop.customer_preferences: the table shop.customer_preferences has been named before",
                        "16 tables.shop.customer_preferences.priority: manual takes no list of nodes",
                        "17 tables.public.orders: strategy is missing",
                        "17 tables.public.orders: the table public.orders has been named before",
                        "19 tables.two words: not the name of a table",
                        "19 tables.two words.strategy: a text is expected, not a number",
                        "19 tables.two words.prioriti: unknown key",
                        "21 tables.public.item: the key stands here twice");
        Commands.Ended apply = run(a, BAD, "apply", "--yes");
        assertThat(apply.code()).isEqualTo(2);
        assertThat(apply.out()).isEmpty();
        assertThat(apply.err())
                .contains("config.yaml has 17 problems", "nothing has been changed")
                .contains(
                        folder.resolve("config.yaml")
                                + ":7: replication.conflicts.tables.shop.inventory.strategy: unknown strategy \"last_write_win\"")
                .contains("did you mean last_write_wins? known: last_write_wins, first_write_wins")
                .contains("did you mean shop.inventory?", "known: a, b", "with its schema: public.item, shop.item");
        assertThat(a.query(STRATEGIES)).isEqualTo(before);
        assertThat(a.query(SAID)).isEqualTo(said);
    }

    @Test
    void whatTheServerRefusesIsAllSaidAndNothingIsKept() throws IOException {
        String before = a.query(STRATEGIES);
        String said = a.query(SAID);
        Commands.Ended refused = run(
                a,
                "replication: {conflicts: {default_strategy: first_write_wins, tables: {orders: {strategy: manual}}}}",
                "apply",
                "--yes");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err())
                .contains(
                        "1 of 6 changes were refused",
                        "Shop.Big Orders to first_write_wins",
                        "needs before-images",
                        "[SR054]")
                .contains("remove_table, then add_table", "nothing has been changed");
        assertThat(a.query(STRATEGIES)).isEqualTo(before);
        assertThat(a.query(SAID)).isEqualTo(said);
    }

    @Test
    void aTableThatHasNotJoinedHereIsNamedWithItsState() throws IOException {
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE clash (id int PRIMARY KEY)");
        }
        a.execute("INSERT INTO clash VALUES (1)");
        b.execute("INSERT INTO clash VALUES (2)");
        a.execute("SELECT steep_repl.add_table('clash', existing => 'identical')");
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'clash'", "failed");
        Commands.Ended refused =
                run(b, "replication: {conflicts: {tables: {clash: {strategy: manual}}}}", "apply", "--yes");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("1 of 1 changes were refused", "[SR043]", "its state is failed");
        a.execute("SELECT steep_repl.remove_table('clash')");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_name = 'clash'", "0");
            node.execute("DROP TABLE clash");
        }
    }

    @Test
    void whoMayNotSetAStrategyMayLookButChangesNothing() throws IOException {
        String before = a.query(STRATEGIES);
        assertThat(runAs("vera", a, SHOP, "check").code()).isEqualTo(1);
        Commands.Ended viewer = runAs("vera", a, SHOP, "apply", "--yes");
        assertThat(viewer.code()).isEqualTo(1);
        assertThat(viewer.err())
                .contains("2 of 2 changes were refused", "permission denied for function set_conflict_strategy [42501]")
                .contains("members of steep_repl_admin who own the table; nothing has been changed");
        // anna owns one of the two.
        String two = "replication: {conflicts: {tables: {orders: {strategy: manual}, inventory: {strategy: manual}}}}";
        Commands.Ended admin = runAs("anna", a, two, "apply", "--yes");
        assertThat(admin.code()).isEqualTo(1);
        assertThat(admin.err()).contains("1 of 2 changes were refused", "must be owner of table public.orders [42501]");
        assertThat(runAs("anna", a, two, "apply", "--dry-run").code()).isEqualTo(1);
        assertThat(a.query(STRATEGIES)).isEqualTo(before);
        String own = "replication: {conflicts: {tables: {inventory: {strategy: manual}}}}";
        assertThat(runAs("anna", a, own, "apply", "--yes").out()).contains("1 table is changed, on all nodes.");
    }
}
