package io.steeprepl.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.connection.Surroundings;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a daemon is found: the same place for itself and for those who look for it. */
class LaunchTest {
    @TempDir
    private Path folder;

    private Launch launch(String name) {
        return new Launch(
                new ConfigPath(folder.resolve("config.yaml"), ConfigPath.Source.DEFAULT),
                name,
                null,
                new Surroundings(Map.of(), folder, "nobody"));
    }

    @Test
    void theUsualPlaceGoesByTheName() {
        assertThat(launch(Launch.DEFAULT_NAME).socket()).hasToString("/tmp/steep-repl.sock");
        assertThat(launch("shop").socket()).hasToString("/tmp/steep-repl-shop.sock");
        assertThat(launch("shop").lock()).hasToString("/tmp/steep-repl-shop.lock");
    }

    @Test
    void whatTheFileNamesComesFirstEvenWhereItHasProblems() throws IOException {
        Files.writeString(folder.resolve("config.yaml"), "repl: {colour: red, ipc: {path: my.sock}}");
        Launch launch = launch("shop");
        assertThat(launch.socket()).isEqualTo(folder.resolve("my.sock"));
        Files.writeString(folder.resolve("config.yaml"), "repl: {ipc: {path: my.sock}}");
        assertThat(launch.socket(Settings.read(launch).now().ipc())).isEqualTo(launch.socket());
    }

    private static ServerSocketChannel listening(Path path) throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
    }

    @Test
    void daemonsWithNamesOfTheirOwnAreFoundByTheirSockets() throws IOException {
        assertThat(Launch.named(folder)).isEmpty();
        assertThat(Launch.named(folder.resolve("none"))).isEmpty();
        Path paris = folder.resolve("steep-repl-paris.sock");
        Path rome = folder.resolve("steep-repl-rome.sock");
        Files.createFile(folder.resolve("steep-repl-file.sock"));
        try (var _ = listening(paris);
                var _ = listening(folder.resolve("other.sock"))) {
            try (var _ = listening(rome)) {
                assertThat(Launch.named(folder)).containsExactly(paris, rome);
            }
            assertThat(rome).as("it stays when nobody listens any more").exists();
            assertThat(Launch.named(folder)).containsExactly(paris);
        }
    }

    @Test
    void whoeverNamesASocketMeansNoOther() throws IOException {
        Files.writeString(folder.resolve("config.yaml"), "repl: {ipc: {path: my.sock}}");
        assertThat(launch(Launch.DEFAULT_NAME).sockets()).isEmpty();
        try (var _ = listening(folder.resolve("my.sock"))) {
            assertThat(launch(Launch.DEFAULT_NAME).sockets()).containsExactly(folder.resolve("my.sock"));
        }
    }

    @Test
    void windowsHasAFolderOfItsOwn() {
        assertThat(RunFolder.of("Windows 11", Map.of("ProgramData", "/d"))).isEqualTo(Path.of("/d", "steep-repl"));
        assertThat(RunFolder.of("Mac OS X", Map.of("ProgramData", "/d"))).isEqualTo(Path.of("/tmp"));
    }
}
