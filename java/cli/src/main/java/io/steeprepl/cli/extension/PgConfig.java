package io.steeprepl.cli.extension;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs pg_config. */
final class PgConfig {
    private static final long SECONDS = 20;

    private PgConfig() {}

    /** What it prints for an option. Throws {@link ApiException} when it does not run. */
    static String ask(Path program, String option) {
        try {
            Process process = new ProcessBuilder(program.toString(), option)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            // A line: it fits into the pipe, so that waiting first cannot block it.
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new ApiException.TimedOut(
                        null, "%s %s does not answer".formatted(program, option), null, null, null);
            }
            String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .findFirst()
                    .orElse("")
                    .strip();
            if (process.exitValue() != 0 || answer.isEmpty()) {
                throw failed(program, option, "it ended with " + process.exitValue(), null);
            }
            return answer;
        } catch (IOException e) {
            throw failed(program, option, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException.Cancelled("interrupted", e);
        }
    }

    private static ApiException failed(Path program, String option, String why, @Nullable Exception cause) {
        return new ApiException.Failed(
                null, "cannot run %s %s".formatted(program, option), why, "is it the server's pg_config?", cause);
    }
}
