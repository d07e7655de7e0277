package io.steeprepl.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.connection.Surroundings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a file that is read again changes, and what not. */
class SettingsTest {
    @TempDir
    private Path folder;

    private Settings read(ConfigPath.Source source) {
        return Settings.read(new Launch(
                new ConfigPath(folder.resolve("config.yaml"), source),
                "test",
                null,
                new Surroundings(Map.of(), folder, "nobody")));
    }

    private void write(String text) throws IOException {
        Files.writeString(folder.resolve("config.yaml"), text);
    }

    @Test
    void whatNeedsARestartWaitsForIt() throws IOException {
        write("repl: {node_id: a, node_name: Alfa, postgresql: {pool_size: 3}, shutdown_timeout: 1s}");
        Settings settings = read(ConfigPath.Source.OPTION);
        write("repl: {node_id: b, postgresql: {pool_size: 7, check_interval: 7s}}");
        var changes = settings.reload();
        assertThat(changes.live()).containsExactly("shutdown_timeout", "postgresql.check_interval");
        assertThat(changes.restart()).containsExactly("node_id", "node_name", "postgresql.pool_size");
        assertThat(settings.now().nodeId()).contains("a");
        assertThat(settings.now().nodeName()).contains("Alfa");
        assertThat(settings.now().database().poolSize()).isEqualTo(3);
        assertThat(settings.now().database().checkInterval()).isEqualTo(Duration.ofSeconds(7));
        assertThat(settings.now().shutdownTimeout()).isEqualTo(Duration.ofSeconds(10));
        // It still waits when the file is read once more, and no longer when it says what it said at first.
        assertThat(settings.reload().restart()).containsExactly("node_id", "node_name", "postgresql.pool_size");
        write("repl: {node_id: a, node_name: Alfa, postgresql: {pool_size: 3, check_interval: 7s}}");
        assertThat(settings.reload().none()).isTrue();
    }

    @Test
    void aFileThatVanishesChangesNothing() throws IOException {
        write("repl: {grpc: {allow: [alice]}}");
        Settings settings = read(ConfigPath.Source.DEFAULT);
        Files.delete(folder.resolve("config.yaml"));
        assertThatThrownBy(settings::reload).isInstanceOf(ApiException.Usage.class);
        assertThat(settings.now().grpc().allow()).isEqualTo(List.of("alice"));
    }

    @Test
    void theUsualFileNeedNotBeThere() throws IOException {
        Settings settings = read(ConfigPath.Source.DEFAULT);
        assertThat(settings.reload().none()).isTrue();
        write("repl: {node_id: a, log: {level: debug}}");
        var changes = settings.reload();
        assertThat(changes.live()).containsExactly("log.level");
        assertThat(changes.restart()).containsExactly("node_id");
        assertThat(settings.now().nodeId()).isEqualTo(Optional.empty());
    }

    @Test
    void aPasswordThatEverybodyCanReadIsSaid() throws IOException {
        Path file = folder.resolve("config.yaml");
        for (String text : List.of(
                "repl: {postgresql: {password: secret}}",
                "repl: {postgresql: {connection: 'host=x password=secret'}}",
                "repl: {postgresql: {connection: 'postgresql://ann:secret@x/y'}}")) {
            write(text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
            assertThat(read(ConfigPath.Source.OPTION).exposed())
                    .get()
                    .asString()
                    .contains("holds a password")
                    .doesNotContain("secret");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
            assertThat(read(ConfigPath.Source.OPTION).exposed()).isEmpty();
        }
        write("repl: {postgresql: {connection: 'postgresql://ann@x/y', password_command: 'pass'}}");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(read(ConfigPath.Source.OPTION).exposed()).isEmpty();
    }
}
