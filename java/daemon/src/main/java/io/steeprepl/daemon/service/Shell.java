package io.steeprepl.daemon.service;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the system's own commands. */
final class Shell {
    private static final long LIMIT = 90;

    private Shell() {}

    /** How a command ended, and what it said. */
    record Ended(int code, String output) {}

    /** Runs one, whatever comes of it. */
    static Ended run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LIMIT, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw failed(command, "it did not end within %d s".formatted(LIMIT));
            }
            return new Ended(process.exitValue(), output.strip());
        } catch (IOException e) {
            throw failed(command, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(command, "interrupted");
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
