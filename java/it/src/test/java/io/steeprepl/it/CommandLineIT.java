package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The commands against a sandbox, as a new user would type them. */
class CommandLineIT {
    /** How a command ended. */
    private record Ended(int code, String out, String err) {
        JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    private static Ended run(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        var line = Main.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return new Ended(line.execute(args), out.toString(), err.toString());
    }

    @Test
    void fromSandboxToAThirdNode() throws IOException {
        Path dir = Files.createTempDirectory("steep-repl-cli");
        String folder = dir.resolve("box").toString();
        dir.toFile().setExecutable(true, false);
        dir.toFile().setReadable(true, false);
        try {
            Ended started = run("sandbox", "start", "--nodes", "2", "--link", "--dir", folder, "-o", "json");
            assertThat(started.code()).as(started.err()).isZero();
            assertThat(uris(started)).hasSize(2);
            assertThat(started.json().get("nodes").get(0).get("pid").isNumber()).isTrue();

            Ended third = run("sandbox", "start", "--nodes", "3", "--dir", folder, "-o", "json");
            assertThat(third.code()).as(third.err()).isZero();
            List<String> uris = uris(third);
            for (String uri : uris) {
                sql(uri, "CREATE TABLE t (id int PRIMARY KEY, v text)");
            }
            sql(uris.get(0), "INSERT INTO t SELECT g, 'x' FROM generate_series(1, 100) g");
            assertThat(run("-c", uris.get(0), "table", "add", "t").code()).isZero();
            Ended start = run("node", "start", uris.get(2), "--from", uris.get(0), "-o", "json");
            assertThat(start.code()).as(start.out() + start.err()).isZero();
            assertThat(run("node", "start", uris.get(2), "--from", uris.get(0)).code())
                    .isZero();

            Ended list = run("-c", uris.get(2), "subscription", "list", "-o", "json");
            assertThat(list.json().size()).isEqualTo(2);
            assertThat(run("-c", uris.get(2), "subscription", "pause", "a").code())
                    .isZero();
            assertThat(run("-c", uris.get(2), "subscription", "resume", "a").code())
                    .isZero();
            assertThat(run("-c", uris.get(0), "table", "list", "-o", "json")
                            .json()
                            .get(0)
                            .get("table_name")
                            .asText())
                    .isEqualTo("t");
            assertThat(run("-c", uris.get(0), "node", "list", "-o", "json")
                            .json()
                            .size())
                    .isEqualTo(3);
            assertThat(run("-c", uris.get(0), "audit", "list", "-o", "json")
                            .json()
                            .size())
                    .isPositive();
        } finally {
            assertThat(run("sandbox", "stop", "--delete", "--dir", folder).code())
                    .isZero();
            Files.delete(dir);
        }
    }

    @Test
    void exitCodesSayWhatHappened() {
        assertThat(run("nonsense").code()).isEqualTo(2);
        assertThat(run("-c", "postgresql://127.0.0.1:1/x", "health").code()).isEqualTo(6);
        Ended unknown = run("-c", "postgresql://127.0.0.1:1/x?sslmod=require", "health");
        assertThat(unknown.code()).isEqualTo(2);
        assertThat(unknown.err()).contains("sslmod").contains("sslmode");
        Ended secret = run("-c", "postgresql://u:Canary1@127.0.0.1:1/x", "health");
        assertThat(secret.out() + secret.err()).doesNotContain("Canary1");
        assertThat(run("version", "-o", "json").code()).isZero();
        assertThat(run("completion", "bash").out()).contains("steep-repl");
    }

    private static List<String> uris(Ended started) throws IOException {
        List<String> uris = new ArrayList<>();
        started.json().get("nodes").forEach(node -> uris.add(node.get("uri").asText()));
        return uris;
    }

    private static void sql(String uri, String sql) {
        String url = uri.replace("postgresql://postgres@", "jdbc:postgresql://") + "?user=postgres";
        try (var connection = java.sql.DriverManager.getConnection(url);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }
}
