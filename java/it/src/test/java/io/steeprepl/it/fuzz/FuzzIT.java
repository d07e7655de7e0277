package io.steeprepl.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs Jazzer for {@code -Dfuzz.seconds}, each target in a process of its own. */
class FuzzIT {
    private static final int SECONDS = Integer.getInteger("fuzz.seconds", 5);

    /** Seeds: what is right, for Jazzer to spoil. */
    private static final List<String> SEEDS = List.of(
            "{\"id\": 1, \"method\": \"audit.query\", \"params\": {\"limit\": 5, \"newer_than\": \"PT1H\"}}",
            "{\"id\": 2, \"method\": \"conflicts.list\", \"params\": {\"table\": \"public.t\", \"pending_only\": true}}",
            "{\"id\": 3, \"method\": \"nodes.register\", \"params\": {\"node_id\": \"a\", \"port\": 5432}}\n{}",
            "GET /health HTTP/1.1\r\nHost: a\r\n\r\nHEAD /metrics?x=%41 HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
            "repl:\n  node_id: a\n  http: {port: 8080}\n  log: {level: info}\n",
            "repl: {peers: &p {interval: 2s, addresses: {b: \"h:1\"}}, audit: {retention: 2y}}\n");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(classes = {ConfigTarget.class, HttpTarget.class, IpcTarget.class})
    void nothingItThinksOfDoesHarm(Class<?> target) throws IOException, InterruptedException {
        Path corpus = Files.createDirectory(folder.resolve("corpus"));
        for (String seed : SEEDS) {
            Files.writeString(corpus.resolve(Integer.toHexString(seed.hashCode())), seed);
        }
        Path log = folder.resolve("log");
        String name = "fuzz-" + ProcessHandle.current().pid();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dfuzz.socket=" + folder.resolve("s"),
                "-Dfuzz.name=" + name,
                "-cp",
                System.getProperty("java.class.path"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + target.getName(),
                "--instrumentation_includes=io.steeprepl.**:org.snakeyaml.**",
                // The target itself asks a server.
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery",
                "--reproducer_path=" + folder,
                "-artifact_prefix=" + folder + "/",
                "-max_len=4096",
                "-timeout=30",
                "-max_total_time=" + SECONDS,
                corpus.toString()));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertThat(process.waitFor(SECONDS + 300L, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly().onExit().join();
            Files.deleteIfExists(Path.of("/tmp", "steep-repl-" + name + ".lock"));
        }
        String said = Files.readString(log);
        assertThat(process.exitValue()).as(said).isZero();
        assertThat(said).containsPattern("Done [1-9][0-9]* runs");
    }
}
