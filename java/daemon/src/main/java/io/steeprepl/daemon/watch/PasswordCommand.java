package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.Durations;
import io.steeprepl.config.repl.DatabaseSettings;
import io.steeprepl.direct.connection.PasswordPrompt;
import io.steeprepl.direct.connection.Secrets;
import io.steeprepl.remote.windows.ThisSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Asks a command for the password. Its output is never shown; what it says on standard error is. */
record PasswordCommand(Supplier<DatabaseSettings> settings) implements PasswordPrompt {
    private static final int MOST = 64 * 1024;

    @Override
    public Optional<String> ask(String question) {
        DatabaseSettings now = settings.get();
        return now.passwordCommand().map(command -> run(command, now.passwordTimeout()));
    }

    private static String run(String command, Duration timeout) {
        List<String> shell = ThisSystem.isWindows() ? List.of("cmd", "/c", command) : List.of("/bin/sh", "-c", command);
        Process process;
        try {
            process = new ProcessBuilder(shell).start();
            process.getOutputStream().close();
        } catch (IOException e) {
            throw failure("cannot be started", String.valueOf(e.getMessage()));
        }
        CompletableFuture<String> out = reading(process.getInputStream());
        CompletableFuture<String> err = reading(process.getErrorStream());
        try {
            long limit = timeout.toMillis();
            if (!process.waitFor(limit, TimeUnit.MILLISECONDS)) {
                throw failure("did not end within " + Durations.text(timeout), "");
            }
            if (process.exitValue() != 0) {
                throw failure("ended with " + process.exitValue(), err.get(1, TimeUnit.SECONDS));
            }
            String password = out.get(1, TimeUnit.SECONDS).lines().findFirst().orElse("");
            if (password.isEmpty()) {
                throw failure("printed nothing", err.get(1, TimeUnit.SECONDS));
            }
            return password;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure("was interrupted", "");
        } catch (ExecutionException | TimeoutException e) {
            // It has ended and something that it started still holds its output.
            throw failure("left something behind that keeps its output open", "");
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static CompletableFuture<String> reading(InputStream from) {
        var text = new CompletableFuture<String>();
        Thread.ofVirtual().name("password-command").start(() -> {
            try (from) {
                byte[] read = from.readNBytes(MOST);
                from.transferTo(java.io.OutputStream.nullOutputStream());
                text.complete(new String(read, StandardCharsets.UTF_8));
            } catch (IOException e) {
                text.complete("");
            }
        });
        return text;
    }

    private static ApiException.CannotConnect failure(String what, String said) {
        return new ApiException.CannotConnect(
                null,
                "password_command " + what,
                said.isBlank() ? null : Secrets.mask(said.strip()),
                "run it by hand as the account of the daemon",
                null);
    }
}
