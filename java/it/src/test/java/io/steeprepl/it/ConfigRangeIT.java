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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The ranges of ids that a file says, held against two linked nodes and applied to them. */
@ExtendWith(ClusterLogs.class)
class ConfigRangeIT {
    private static final String SETTINGS =
            "SELECT string_agg(concat_ws(' ', table_name, enabled::text, range_size, threshold), ', ' ORDER BY table_name) FROM steep_repl.range_settings()";
    private static final String AS_ADDED =
            "audit_log true 10000 80, countries false, orders true 10000 80, stock true 10000 80";

    private static final String SHOP = """
            replication:
              identity_ranges:
                enabled: true
                default_range_size: 20000
                threshold_percent: 70
                tables:
                  orders:
                    range_size: 100000
                  shop.audit_log:
                    enabled: false
            """;

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
                    "CREATE TABLE shop.orders (id bigserial PRIMARY KEY)",
                    "CREATE TABLE shop.stock (id serial PRIMARY KEY)",
                    "CREATE TABLE shop.audit_log (id bigserial PRIMARY KEY)",
                    "CREATE TABLE shop.countries (code text PRIMARY KEY)");
        }
        a.execute("SELECT steep_repl.add_tables('shop')");
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'ready'", "4");
            Sql.await(node, SETTINGS, AS_ADDED);
        }
        a.execute("CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void asTheyWereAdded() {
        for (TestNode node : cluster.nodes()) {
            for (String table : new String[] {"orders", "stock", "audit_log"}) {
                if (node.query("SELECT enabled FROM steep_repl.range_settings() WHERE table_name = '" + table + "'")
                        .equals("f")) {
                    a.execute("SELECT steep_repl.set_ranges('shop." + table + "', enabled => true)");
                    Sql.await(
                            node,
                            "SELECT enabled FROM steep_repl.range_settings() WHERE table_name = '" + table + "'",
                            "t");
                }
                node.execute(
                        "SELECT steep_repl.set_ranges('shop." + table + "', range_size => 10000, threshold => 80)");
            }
            Sql.await(node, SETTINGS, AS_ADDED);
        }
    }

    private Commands.Ended run(String role, TestNode node, String yaml, String... command) throws IOException {
        Path file = folder.resolve("config.yaml");
        Files.writeString(file, yaml);
        String[] line = new String[command.length + 3];
        line[0] = "--config";
        line[1] = file.toString();
        line[2] = "config";
        System.arraycopy(command, 0, line, 3, command.length);
        return Commands.run(node.uri().replace("postgres@", role + "@"), line);
    }

    @Test
    void driftIsShownAndApplied() throws IOException {
        Commands.Ended check = run("vera", a, SHOP, "check");
        assertThat(check.code()).as(check.err()).isEqualTo(1);
        assertThat(check.out())
                .containsPattern("shop.audit_log +10 +no ranges +ranges of 10000, next at 80 %\\R")
                .containsPattern("shop.orders +8 +ranges of 100000, next at 70 % +ranges of 10000, next at 80 %\\R")
                .containsPattern("shop.stock +4 +ranges of 20000, next at 70 % +ranges of 10000, next at 80 %\\R")
                .doesNotContain("countries");
        assertThat(run("postgres", a, SHOP, "apply")).satisfies(asks -> {
            assertThat(asks.code()).isEqualTo(2);
            assertThat(asks.err()).contains("nobody to ask whether to change 3 tables", "--yes");
        });
        assertThat(run("postgres", a, SHOP, "apply", "--dry-run").out()).contains("3 tables would be changed.");
        assertThat(a.query(SETTINGS)).isEqualTo(AS_ADDED);

        Commands.Ended applied = run("postgres", a, SHOP, "apply", "--yes");
        assertThat(applied.code()).as(applied.err()).isZero();
        assertThat(applied.out()).contains("3 tables are changed.");
        assertThat(applied.err()).contains("hold on this node; apply the file on the others, too");
        assertThat(a.query(SETTINGS))
                .isEqualTo("audit_log false, countries false, orders true 100000 70, stock true 20000 70");
        assertThat(run("postgres", a, SHOP, "check").code()).isZero();
        // Whether there are any travels; sizes are each node's own.
        Sql.await(b, "SELECT enabled FROM steep_repl.range_settings() WHERE table_name = 'audit_log'", "f");
        JsonNode drift = run("postgres", b, SHOP, "check", "-o", "json").json().get("range_drift");
        assertThat(drift).hasSize(2);
        assertThat(drift.get(0).toString())
                .isEqualTo("{\"table_schema\":\"shop\",\"table_name\":\"orders\",\"line\":8,"
                        + "\"file\":{\"enabled\":true,\"range_size\":100000,\"threshold_percent\":70},"
                        + "\"database\":{\"enabled\":true,\"range_size\":10000,\"threshold_percent\":80}}");
        JsonNode changed =
                run("postgres", b, SHOP, "apply", "--yes", "-o", "json").json().get("ranges_changed");
        assertThat(changed).hasSize(2);
        assertThat(run("postgres", b, SHOP, "check").code()).isZero();
    }

    @Test
    void allProblemsAreSaidAtOnceAndNothingIsChanged() throws IOException {
        String bad = """
                replication:
                  identity_ranges:
                    enabled: yes please
                    default_size: 5
                    threshold_percent: 0
                    tables:
                      orders: {range_size: 0, threshold_percent: 1.5}
                      order: {range_size: 10}
                      shop.orders: {enabled: true}
                      stock: {range_size: 999999999}
                      countries: {enabled: true}
                      audit_log: {range_size: many, enabld: true}
                """;
        Commands.Ended check = run("postgres", a, bad, "check", "-o", "json");
        assertThat(check.code()).isEqualTo(2);
        assertThat(check.json().get("problems"))
                .allSatisfy(
                        problem -> assertThat(problem.get("remedy").asText()).isNotEmpty())
                .extracting(problem -> problem.get("line").asInt() + " "
                        + problem.get("key").asText().replaceFirst("^replication\\.identity_ranges\\.", "") + ": "
                        + problem.get("problem").asText())
                .containsExactly(
                        "3 enabled: true or false is expected, not a text",
                        "4 default_size: unknown key",
                        "5 threshold_percent: a threshold is between 1 and 100 percent",
                        "7 tables.orders.range_size: a range has at least one id",
                        "7 tables.orders.threshold_percent: a whole number is expected, not a number with a point",
                        "8 tables.order: order is not a replicated table",
                        "9 tables.shop.orders: the table shop.orders has been named before",
                        "10 tables.stock.range_size: a range of shop.stock has at most 1000000 ids",
                        "11 tables.countries.enabled: the ids of shop.countries cannot go in ranges",
                        "12 tables.audit_log.range_size: a whole number is expected, not a text",
                        "12 tables.audit_log.enabld: unknown key");
        Commands.Ended apply = run("postgres", a, bad, "apply", "--yes");
        assertThat(apply.code()).isEqualTo(2);
        assertThat(apply.err())
                .contains("config.yaml has 11 problems", "nothing has been changed", "did you mean enabled?");
        assertThat(a.query(SETTINGS)).isEqualTo(AS_ADDED);
    }

    @Test
    void whatIsRefusedIsSaidWithItsLine() throws IOException {
        Commands.Ended refused = run("vera", a, SHOP, "apply", "--yes");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err())
                .contains(
                        "3 of 3 changes of ranges were refused",
                        "config.yaml:8: shop.orders to ranges of 100000",
                        "[42501]");
        assertThat(a.query(SETTINGS)).isEqualTo(AS_ADDED);
    }

    @Test
    void withoutADefaultOnlyTablesThatAreNamedAreHeldAgainstTheFile() throws IOException {
        String one = "replication: {identity_ranges: {tables: {orders: {threshold_percent: 90}}}}";
        assertThat(run("postgres", a, one, "apply", "--yes").code()).isZero();
        assertThat(a.query(SETTINGS)).isEqualTo(AS_ADDED.replace("orders true 10000 80", "orders true 10000 90"));
        assertThat(run("postgres", a, one, "apply", "--yes").out()).contains("Nothing to do");
    }
}
