package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.Main;
import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.sandbox.Sandbox;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The demo ends with the proof of equality, shows the conflicts of the cut, and leaves the servers linked if asked to. */
class DemoIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void bothOfficesEndEqualAndTheConflictsAreShown() throws IOException {
        Path parent = Files.createTempDirectory("steep-repl-demo-it");
        Path dir = parent.resolve("demo");
        assertThat(parent.toFile().setExecutable(true, false)).isTrue();
        try {
            StringWriter out = new StringWriter();
            int code = Main.commandLine()
                    .setOut(new PrintWriter(out, true))
                    .execute("demo", "--seconds", "2", "--keep", "--dir", dir.toString(), "-o", "json");
            assertThat(code).as(out.toString()).isZero();
            assertThat(out.toString().lines()).hasSize(1);
            check(JSON.readTree(out.toString()));
            keptServersReplicate(new Sandbox(dir).nodes());
        } finally {
            if (Files.exists(dir)) {
                new Sandbox(dir).stop(true);
            }
            Files.delete(parent);
        }
    }

    private static void check(JsonNode demo) {
        assertThat(demo.path("equal").asBoolean()).isTrue();
        assertThat(demo.path("proven").asBoolean()).isTrue();
        assertThat(demo.path("policies").toString())
                .isEqualTo(
                        "{\"stock\":[\"25\",\"25\"],\"undecided\":[\"refunded\",\"shipped\"],"
                                + "\"resolved\":[\"shipped\",\"shipped\"],\"reverted\":[\"refunded\",\"refunded\"],\"right\":true}");
        assertThat(demo.path("ids").path("right").asBoolean())
                .as(demo.path("ids").toString())
                .isTrue();
        assertThat(demo.path("ids").path("ranges"))
                .extracting(r -> r.path("node_id").asText())
                .contains("a", "b");
        assertThat(demo.path("tables")).hasSize(6).allMatch(t -> t.path("equal").asBoolean());
        assertThat(demo.path("tables_before_cut"))
                .hasSize(6)
                .allMatch(t -> t.path("equal").asBoolean());
        List<String> conflicts = new ArrayList<>();
        for (JsonNode one : demo.path("conflicts")) {
            conflicts.add(String.join(
                    " ",
                    one.path("conflict_type").asText(),
                    value(one.path("north_wrote")),
                    value(one.path("south_wrote")),
                    one.path("stays").asText(),
                    value(one.path("north_now")),
                    value(one.path("south_now"))));
            assertThat(one.path("right").asBoolean()).as(one.toString()).isTrue();
            assertThat(one.path("strategy").asText()).isEqualTo("last_write_wins");
            assertThat(one.path("entries"))
                    .extracting(e -> e.path("node_id").asText())
                    .contains("a", "b");
            assertThat(one.path("entries"))
                    .allMatch(e -> !e.path("converged_at").asText("").isEmpty());
        }
        assertThat(conflicts)
                .containsExactly(
                        "UPDATE-UPDATE 809.10 924.00 b 924.00 924.00",
                        "UPDATE-DELETE gone 249.00 b 249.00 249.00",
                        "UPDATE-DELETE gone 169.00 a gone gone",
                        "UNIQUE Porto Lyon b Lyon Lyon");
    }

    /** What tells the rows of the story apart. */
    private static String value(JsonNode row) {
        return row.isNull()
                ? "gone"
                : row.path(row.has("total") ? "total" : "city").asText();
    }

    private static void keptServersReplicate(List<TestNode> nodes) {
        nodes.get(0).execute("UPDATE shop.customers SET city = 'Oslo' WHERE id = 1");
        nodes.get(1).execute("UPDATE shop.customers SET city = 'Rome' WHERE id = 2");
        Sql.await(nodes.get(1), "SELECT city FROM shop.customers WHERE id = 1", "Oslo");
        Sql.await(nodes.get(0), "SELECT city FROM shop.customers WHERE id = 2", "Rome");
    }
}
