package io.steeprepl.daemon.service;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs the system's own commands. */
final class Shell {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private Shell() {}

    /** How a command ended, and what it said. */
    record Ended(int code, String output) {}

    /** Runs one, whatever comes of it. */
    static Ended run(List<String> command) {
        return run(command, LIMIT);
    }

    /** Runs one that may take so long. */
    static Ended run(List<String> command, Duration limit) {
        Path said = null;
        try {
            // Not a pipe: that ends only with the last process that has it, and whoever waits for its end waits without
            // a limit.
            said = Files.createTempFile("steep-repl", ".out");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                // A shell that outlives what it waits for says how that ended.
                List<ProcessHandle> begun = process.descendants().toList();
                process.destroyForcibly();
                begun.forEach(ProcessHandle::destroyForcibly);
                String output = text(said);
                throw failed(
                        command,
                        "it did not end within %d s and was killed%s"
                                .formatted(limit.toSeconds(), output.isEmpty() ? "" : "; it said: " + output));
            }
            return new Ended(process.exitValue(), text(said));
        } catch (IOException e) {
            throw failed(command, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(command, "interrupted");
        } finally {
            remove(said);
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip();
    }

    private static void remove(@Nullable Path file) {
        if (file != null) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                file.toFile().deleteOnExit();
            }
        }
    }

    /** Runs one that must succeed. */
    static String must(List<String> command) {
        Ended ended = run(command);
        if (ended.code() != 0) {
            throw failed(command, ended.output().isEmpty() ? "it ended with " + ended.code() : ended.output());
        }
        return ended.output();
    }

    private static ApiException.Failed failed(List<String> command, String why) {
        return new ApiException.Failed(
                null, "%s failed".formatted(String.join(" ", command)), why, "run it by hand to see more", null);
    }
}
