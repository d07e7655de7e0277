package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Runs every shell block of docs/guide/conflicts.md, in its order, on two nodes. What the prose asks for between the blocks
 * (wait, pause and resume, another conflict) is in {@link #before} and {@link #after}.
 */
class ConflictGuideIT {
    private static final Path FILE = Path.of(System.getProperty("steeprepl.home", "../.."), "docs/guide/conflicts.md");
    private static final String LINKS = "SELECT bool_and(state = 'streaming') FROM steep_repl.subscription_status()";

    private Cluster cluster;
    private TestNode a;
    private TestNode b;

    @BeforeEach
    void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void everyBlockDoesWhatItSays() throws Exception {
        List<Guide.Block> blocks = Guide.read(FILE).stream()
                .filter(block -> block.kind() == Guide.Kind.SH)
                .toList();
        assertThat(blocks).hasSizeGreaterThan(10);
        Path psql = Debian.postgres(18).bin();
        try (Folder folder = new Folder()) {
            Path work = Files.createDirectories(folder.resolve("work"));
            Machine.commandLine(work);
            for (Guide.Block block : blocks) {
                before(block);
                String output = run(work, psql, substitute(block));
                System.out.println("guide, line " + block.line() + ": " + block.heading());
                after(block, output);
            }
        }
    }

    /** Without the sandbox, whose part the cluster takes, and with the ids that the conflicts have here. */
    private String substitute(Guide.Block block) {
        String text = block.text().replaceAll("(?m)^(\\./steep-repl sandbox|A=).*$", "");
        return switch (block.heading()) {
            case "Many at once" ->
                text.replace(
                        "1234567",
                        a.query("SELECT origin_xid FROM steep_repl.conflict_log WHERE resolution = 'PENDING'"));
            case "What LOCAL and REMOTE mean for special kinds" ->
                text.replace(
                        "resolve ID",
                        "resolve "
                                + a.query(
                                        "SELECT min(id) FROM steep_repl.conflict_log WHERE conflict_type = 'UNIQUE'"));
            default -> text;
        };
    }

    private static boolean sells(Guide.Block block) {
        return block.text().contains("SET on_hand = on_hand - 7");
    }

    private static boolean takesOneAddress(Guide.Block block) {
        return block.text().contains("INSERT INTO orders VALUES (4");
    }

    private void before(Guide.Block block) {
        if (sells(block) || takesOneAddress(block)) {
            links("pause");
        }
        switch (block.heading()) {
            case "Many at once" -> {
                a.execute("SELECT steep_repl.set_conflict_strategy('orders', 'manual')");
                Sql.await(b, "SELECT strategy FROM steep_repl.tables WHERE table_name = 'orders'", "manual");
                links("pause");
                a.execute("UPDATE orders SET status = 'paid' WHERE id = 2");
                b.execute("UPDATE orders SET status = 'cancelled' WHERE id = 2");
                links("resume");
                Sql.await(a, "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING'", "1");
                Sql.await(b, "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING'", "1");
            }
            default -> {}
        }
    }

    private void after(Guide.Block block, String output) {
        if (block.text().contains("CREATE TABLE")) {
            Sql.await(b, "SELECT bool_and(state = 'ready') FROM steep_repl.replicated_tables()", "t");
        }
        if (block.text().contains("CREATE TABLE stock")) {
            Sql.await(b, "SELECT strategy FROM steep_repl.tables WHERE table_name = 'stock'", "column_merge");
            Sql.await(b, "SELECT on_hand FROM stock", "100");
        }
        if (sells(block)) {
            links("resume");
            for (TestNode node : List.of(a, b)) {
                Sql.await(node, "SELECT on_hand, shelf, note FROM stock", "63|B2|reordered");
                Sql.await(
                        node,
                        "SELECT string_agg(resolution, ' ') FROM steep_repl.conflict_log WHERE table_name = 'stock'",
                        "MERGED");
            }
        }
        if (takesOneAddress(block)) {
            links("resume");
            for (TestNode node : List.of(a, b)) {
                Sql.await(node, "SELECT string_agg(id::text, ' ') FROM orders WHERE id > 2", "4");
                Sql.await(node, "SELECT count(*) FROM steep_repl.conflict_log WHERE conflict_type = 'UNIQUE'", "1");
            }
        }
        switch (block.heading()) {
            case "Conflicts: read them, resolve them, take it back" -> {
                if (block.text().contains("resume")) {
                    statuses("cancelled");
                } else {
                    Sql.await(b, "SELECT count(*) FROM orders", "2");
                }
            }
            case "Read an entry" -> assertThat(output).contains("UPDATE-UPDATE", "paid", "cancelled");
            case "Resolve it" -> statuses("paid");
            case "Take it back" -> statuses("cancelled");
            case "Many at once" ->
                Sql.await(
                        b, "SELECT status FROM orders WHERE id = 2", a.query("SELECT status FROM orders WHERE id = 2"));
            case "What LOCAL and REMOTE mean for special kinds" -> {
                if (block.text().contains("resolve ID")) {
                    Sql.await(b, "SELECT email FROM orders WHERE id = 3", "cy.other@example.org");
                }
            }
            default -> {}
        }
    }

    private void statuses(String status) {
        for (TestNode node : List.of(a, b)) {
            Sql.await(node, "SELECT status FROM orders WHERE id = 1", status);
        }
    }

    private void links(String call) {
        a.query("SELECT steep_repl." + call + "('b')");
        b.query("SELECT steep_repl." + call + "('a')");
        if (call.equals("resume")) {
            Sql.await(a, LINKS, "t");
            Sql.await(b, LINKS, "t");
        }
    }

    private String run(Path work, Path psql, String text) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("bash", "-euo", "pipefail", "-c", text)
                .directory(work.toFile())
                .redirectErrorStream(true);
        builder.environment().keySet().removeIf(variable -> variable.startsWith("PG"));
        builder.environment().put("PATH", psql + ":" + System.getenv("PATH"));
        builder.environment().put("A", a.uri());
        builder.environment().put("B", b.uri());
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new AssertionError(text + "\ngave:\n" + output);
        }
        return output;
    }
}
