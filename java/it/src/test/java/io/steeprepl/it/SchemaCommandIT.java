package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands of the noun schema, as they are typed, on two linked nodes. */
@ExtendWith(ClusterLogs.class)
class SchemaCommandIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        cluster.nodes()
                .forEach(node -> node.execute(
                        "CREATE SCHEMA shop",
                        "CREATE TABLE shop.orders (id int PRIMARY KEY, total numeric(10,2))",
                        "CREATE TABLE shop.\"Odd \u202e one\" (id int PRIMARY KEY)",
                        "CREATE TABLE customers (id int PRIMARY KEY)"));
        b.execute("ALTER TABLE shop.orders ALTER total TYPE numeric(12,2)", "CREATE TABLE more (id int)");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static Commands.Ended schema(String... args) {
        String[] line = new String[args.length + 1];
        line[0] = "schema";
        System.arraycopy(args, 0, line, 1, args.length);
        return Commands.run(a.uri(), line);
    }

    @Test
    void tablesThatDifferAreShownAndItEndsWithThree() throws IOException {
        Commands.Ended shown = schema("compare", "b");
        assertThat(shown.code()).as(shown.err()).isEqualTo(3);
        assertThat(shown.out())
                .containsPattern("TABLE +STATUS +LOCAL FP +REMOTE FP\\R")
                .containsPattern("public.more +REMOTE_ONLY +[0-9a-f]{12}\\R")
                .containsPattern("shop.orders +MISMATCH +[0-9a-f]{12} +[0-9a-f]{12}\\R")
                .doesNotContain("customers");
        assertThat(shown.err()).contains("2 the same on both, 2 not.", "schema diff says what differs.");
        assertThat(schema("compare", "b", "--all").out())
                .containsPattern("public.customers +MATCH ")
                .contains("shop.Odd \\u202e one");
        Commands.Ended json = schema("compare", "b", "-o", "json");
        assertThat(json.code()).isEqualTo(3);
        List<String> rows = new ArrayList<>();
        for (JsonNode row : json.json()) {
            rows.add(row.get("table_schema").asText() + "."
                    + row.get("table_name").asText() + " " + row.get("status").asText() + " "
                    + row.get("local_fp").isNull());
        }
        assertThat(rows)
                .containsExactly(
                        "public.customers MATCH false",
                        "public.more REMOTE_ONLY true",
                        "shop.Odd \u202e one MATCH false",
                        "shop.orders MISMATCH false");
        // From the other side, by a URI, and with the node that is asked named first.
        assertThat(schema("compare", b.uri(), "-o", "json").out()).isEqualTo(json.out());
        assertThat(schema("compare", a.uri(), b.uri(), "-o", "json").out()).isEqualTo(json.out());
        assertThat(schema("compare", "a", "b", "-o", "json").out()).isEqualTo(json.out());
        assertThat(schema("compare", "b", "a").out()).containsPattern("public.more +LOCAL_ONLY ");
    }

    @Test
    void whereNothingDiffersItEndsWithNought() {
        Commands.Ended same = schema("diff", "b", "customers");
        assertThat(same.code()).isZero();
        assertThat(same.out()).isEmpty();
        assertThat(same.err()).contains("nothing differs");
        assertThat(schema("diff", "b", "customers", "-o", "json").out().strip()).isEqualTo("[]");
    }

    @Test
    void whatDiffersIsALineEach() throws IOException {
        Commands.Ended one = schema("diff", "b", "shop.orders");
        assertThat(one.code()).isEqualTo(3);
        assertThat(one.out())
                .isEqualToIgnoringNewLines(
                        "TABLE        DIFFERENCE\nshop.orders  column total type: numeric(10,2) on a, numeric(12,2) on b\n");
        Commands.Ended all = schema("diff", "b", "-o", "json");
        assertThat(all.code()).isEqualTo(3);
        assertThat(all.json().size()).isEqualTo(2);
        assertThat(all.json().get(1).toString())
                .isEqualTo(
                        "{\"table_schema\":\"shop\",\"table_name\":\"orders\",\"object\":\"column total\",\"property\":\"type\","
                                + "\"local\":\"numeric(10,2)\",\"remote\":\"numeric(12,2)\","
                                + "\"difference\":\"column total type: numeric(10,2) on a, numeric(12,2) on b\"}");
        assertThat(schema("diff", "b", "more").out()).contains("table: does not exist on a, exists on b");
    }

    @Test
    void anExportIsWhatTheFingerprintsAreOf() throws Exception {
        Commands.Ended text = schema("export", "shop.orders");
        assertThat(text.code()).as(text.err()).isZero();
        assertThat(text.out().lines().count()).isGreaterThan(10);
        Commands.Ended line = schema("export", "shop.orders", "-o", "json");
        assertThat(line.out().strip()).doesNotContain("\n");
        assertThat(new ObjectMapper().readTree(text.out())).isEqualTo(line.json());
        JsonNode table = line.json().get(0);
        assertThat(table.get("definition").get("primary_key").get(0).asText()).isEqualTo("PRIMARY KEY (id)");
        String definition = a.query("SELECT definition FROM steep_repl.schema_definitions('shop', 'orders')");
        assertThat(line.out()).contains(definition);
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(definition.getBytes(StandardCharsets.UTF_8));
        assertThat(table.get("fingerprint").asText()).isEqualTo(HexFormat.of().formatHex(hash));
        // All tables, and the other node's: the files differ where the tables do.
        List<String> here = schema("export").out().lines().toList();
        List<String> there =
                Commands.run(b.uri(), "schema", "export").out().lines().toList();
        assertThat(String.join("", here)).contains("Odd \\u202e one").doesNotContain("\u202e");
        List<String> changed = new ArrayList<>(here);
        changed.removeAll(there);
        assertThat(changed)
                .hasSize(2)
                .anyMatch(l -> l.contains("numeric(10,2)"))
                .anyMatch(l -> l.contains("fingerprint"));
    }

    @Test
    void capturedTablesAreCounted() {
        assertThat(schema("capture").out()).isEqualToIgnoringNewLines("captured the fingerprints of 3 tables\n");
        assertThat(schema("capture", "-o", "json").out().strip()).isEqualTo("{\"tables\":3}");
        assertThat(a.query("SELECT count(*) FROM steep_repl.schema_fingerprints"))
                .isEqualTo("3");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        2 | compare                         | NODE                                 | --help
        2 | compare a b c                   | c                                    | --help
        2 | compare nobody b                | neither a connection nor a node      | node list
        2 | diff                            | PEER                                 | --help
        2 | diff b a.b.c                    | not the name of a table: a.b.c       | shop.orders
        2 | export a.b.c                    | not the name of a table: a.b.c       | shop.orders
        1 | compare nobody                  | node nobody is not known here        | register_node
        1 | compare a                       | a is this node itself                | Name a peer
        1 | diff b nowhere                  | table public.nowhere does not exist  | without quotes
        1 | export nowhere                  | table public.nowhere does not exist  | [42P01]
        1 | export shop.orders_pkey         | shop.orders_pkey is no table         | ordinary and partitioned tables
        6 | compare postgresql://postgres@127.0.0.1:1/x | the peer cannot be reached | [SR090]
        """)
    void badInputEndsWithItsCodeAndSaysWhatToDo(int code, String line, String message, String hint) {
        Commands.Ended ended = schema(line.strip().split(" +"));
        assertThat(ended.code()).as(ended.out() + ended.err()).isEqualTo(code);
        assertThat(ended.err()).contains(message).contains(hint);
        assertThat(ended.out()).isEmpty();
    }
}
