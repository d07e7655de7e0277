package io.steeprepl.daemon.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.remote.Transport;
import io.steeprepl.remote.ipc.IpcTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The socket's file, which others may take away while the server runs. */
class IpcServerTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    private Path folder;

    private Path path;
    private IpcServer server;

    @BeforeEach
    void start() {
        path = folder.resolve("socket");
        server = new IpcServer(
                path,
                new IpcSettings(true, Optional.of(path), 5, 10_000, Duration.ofSeconds(5)),
                List.of(new Echo()),
                new Events());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private record Echo() implements Answers {
        @Override
        public boolean knows(String method) {
            return true;
        }

        @Override
        public boolean reads(String method) {
            return true;
        }

        @Override
        public JsonNode answer(String method, JsonNode params) {
            return JsonNodeFactory.instance.textNode(method);
        }
    }

    private Transport client() {
        return IpcTransport.connect(path, LIMIT);
    }

    private static void isServed(Transport client) {
        assertThat(client.call("any.method", JsonNodeFactory.instance.objectNode())
                        .asText())
                .isEqualTo("any.method");
    }

    /** In one step: between two, the socket could be there again. */
    private void putAnother() throws IOException {
        Path other = Files.createFile(folder.resolve("other"));
        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void oneThatIsTakenAwayIsThereAgainAndNobodyIsDisturbed() throws IOException {
        try (Transport before = client()) {
            isServed(before);
            Files.delete(path);
            await("the socket").atMost(LIMIT).until(() -> Files.exists(path));
            assertThat(Files.getPosixFilePermissions(path)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
            try (Transport after = client()) {
                isServed(after);
            }
            isServed(before);
            await("it to be well").atMost(LIMIT).until(() -> server.state().status(), "healthy"::equals);
        }
        try (var files = Files.list(folder)) {
            assertThat(files).as("nothing is left of the making").containsExactly(path);
        }
    }

    @Test
    void oneThatLiesThereForDaysLooksUsed() throws IOException {
        Files.setLastModifiedTime(path, FileTime.from(Instant.now().minus(Duration.ofDays(9))));
        await("a fresh time")
                .atMost(LIMIT)
                .until(() -> Files.getLastModifiedTime(path)
                        .toInstant()
                        .isAfter(Instant.now().minus(Duration.ofHours(1))));
    }

    @Test
    void whatElseIsInItsPlaceIsLeftAloneAndSaid() throws IOException {
        try (Transport before = client()) {
            putAnother();
            await("it to be said").atMost(LIMIT).until(() -> server.state().status(), "unhealthy"::equals);
            assertThat(server.state().reason()).contains(path.toString(), "no socket");
            isServed(before);
            Files.delete(path);
            await("the socket").atMost(LIMIT).until(() -> server.state().status(), "healthy"::equals);
            try (Transport after = client()) {
                isServed(after);
            }
        }
    }

    @Test
    void atTheEndItTakesItsOwnFileAwayAndNoOther() throws IOException {
        server.close();
        assertThat(path).doesNotExist();
        start();
        putAnother();
        server.close();
        assertThat(path).isRegularFile();
    }
}
