package io.steeprepl.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.connection.Surroundings;
import java.io.IOException;
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

    @Test
    void windowsHasAFolderOfItsOwn() {
        assertThat(RunFolder.of("Windows 11", Map.of("ProgramData", "/d"))).isEqualTo(Path.of("/d", "steep-repl"));
        assertThat(RunFolder.of("Mac OS X", Map.of("ProgramData", "/d"))).isEqualTo(Path.of("/tmp"));
    }
}
