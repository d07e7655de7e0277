package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Runs the blocks of docs/guide/snapshots.md in their order: the SQL in one folder, the commands in another one. */
class SnapshotGuideIT {
    private static final Path FILE = Path.of(System.getProperty("steeprepl.home", "../.."), "docs/guide/snapshots.md");

    @Test
    void everyBlockDoesWhatItSays() throws Exception {
        List<Guide.Block> blocks = Guide.read(FILE);
        assertThat(blocks).hasSizeGreaterThan(10);
        try (SnapshotArea area = new SnapshotArea()) {
            for (String folder : List.of("by-sql", "by-command")) {
                area.full.shell("mkdir " + area.folder(folder));
            }
            for (TestNode node : List.of(area.full, area.empty)) {
                node.execute(
                        "CREATE TABLE shop.orders (id int PRIMARY KEY)",
                        "CREATE SCHEMA billing",
                        "CREATE TABLE billing.invoices (id int PRIMARY KEY)");
            }
            for (Guide.Block block : blocks) {
                run(area, block);
            }
            assertThat(area.full.query("SELECT string_agg(DISTINCT state, ' ') FROM steep_repl.work_queue"))
                    .isEqualTo("complete");
            assertThat(area.full.query("SELECT count(*) FROM steep_repl.audit_log WHERE action = 'snapshot.cancelled'"))
                    .isEqualTo("2");
            assertThat(area.empty.contents("shop.big")).isEqualTo(area.full.contents("shop.big"));
        }
    }

    private static void run(SnapshotArea area, Guide.Block block) throws Exception {
        for (String line : block.text().lines().toList()) {
            System.out.println("guide, line " + block.line() + ": " + line);
            if (line.contains("cancel")) {
                // There must be something that has begun and cannot end.
                try (var gate = area.shut()) {
                    SnapshotArea.snapshot(area.full, "generate", area.folder("held-" + block.line()), "--detach");
                    gate.awaitWork();
                    run(area, block, line);
                    awaitEnd(area.full);
                }
            } else {
                run(area, block, line);
                awaitEnd(area.full);
                awaitEnd(area.empty);
            }
        }
    }

    private static void awaitEnd(TestNode node) {
        Sql.await(node, "SELECT count(*) FROM steep_repl.work_queue WHERE state IN ('pending', 'running')", "0");
    }

    private static void run(SnapshotArea area, Guide.Block block, String line) {
        boolean loads = block.heading().startsWith("Load");
        TestNode node = loads ? area.empty : area.full;
        // Snapshots have the number of the work that wrote them; those that are loaded later must stay.
        String last = area.full.query("SELECT max(id) FROM steep_repl."
                + (line.contains("delete") ? "list_snapshots() WHERE path LIKE '%/orders'" : "work_queue"));
        switch (block.kind()) {
            case SQL ->
                node.execute(line.replace("/backup", area.folder("by-sql").toString())
                        .replace("(3)", "(" + last + ")"));
            case SH -> {
                if (loads) {
                    node.execute("TRUNCATE shop.big, shop.\"Odd Name\"");
                }
                List<String> words = Stream.of(line.split(" "))
                        .map(word -> word.equals("3") ? last : word.replace("'", ""))
                        .map(word -> word.replace(
                                "/backup", area.folder("by-command").toString()))
                        .toList();
                assertThat(words.getFirst()).isEqualTo("steep-repl");
                Commands.Ended ended =
                        Commands.run(node.uri(), words.stream().skip(1).toArray(String[]::new));
                assertThat(ended.code()).as(line + "\n" + ended.err()).isZero();
            }
            case INI -> assertThat(line).startsWith("steep_repl.snapshot_directories = ");
            default -> throw new AssertionError(block);
        }
    }
}
