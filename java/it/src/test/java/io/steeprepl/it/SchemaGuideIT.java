package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Runs every block of docs/guide/schema.md, in its order, on two nodes, and looks for what the guide says that they print. */
@ExtendWith(ClusterLogs.class)
class SchemaGuideIT {
    private static final Path FILE = Path.of(System.getProperty("steeprepl.home", "../.."), "docs/guide/schema.md");

    /** How the blocks end; the last command of a block counts. */
    private static final List<Integer> CODES = List.of(0, 0, 3, 3, 3, 0, 0, 0, 0, 1);

    private record Ended(int code, String output) {}

    @Test
    void everyBlockDoesWhatItSays() throws Exception {
        List<Integer> codes = new ArrayList<>();
        StringBuilder printed = new StringBuilder();
        try (Cluster cluster = Cluster.start(2).link(2);
                Folder folder = new Folder()) {
            Path work = Files.createDirectories(folder.resolve("work"));
            Machine.commandLine(work);
            for (Guide.Block block : Guide.read(FILE)) {
                Ended ended = run(work, cluster, block.text().replaceAll("(?m)^(\\./steep-repl sandbox|A=).*$", ""));
                System.out.println("guide, line " + block.line() + ": " + ended);
                codes.add(ended.code());
                printed.append(ended.output());
            }
        }
        assertThat(codes).as(printed.toString()).isEqualTo(CODES);
        boolean block = false;
        for (String line : Files.readAllLines(FILE)) {
            block ^= line.startsWith("```");
            if (!block && line.startsWith("    ")) {
                // Fingerprints may change from version to version.
                assertThat(plain(printed.toString())).contains(plain(line.replace("…", "")));
            }
        }
    }

    private static String plain(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    private static Ended run(Path work, Cluster cluster, String text) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("bash", "-uo", "pipefail", "-c", text)
                .directory(work.toFile())
                .redirectErrorStream(true);
        builder.environment().keySet().removeIf(variable -> variable.startsWith("PG"));
        builder.environment().put("PATH", Debian.postgres(18).bin() + ":" + System.getenv("PATH"));
        builder.environment().put("A", cluster.node(0).uri());
        builder.environment().put("B", cluster.node(1).uri());
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError(text + "\ndoes not end:\n" + output);
        }
        return new Ended(process.exitValue(), output);
    }
}
