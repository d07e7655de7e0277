package io.steeprepl.cli.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstallerTest {
    @TempDir
    private Path folder;

    private Stage stage = new Stage(Path.of("."));

    @BeforeEach
    void files() throws IOException {
        Path root = Files.createDirectory(folder.resolve("stage"));
        stage = new Stage(root);
        Files.writeString(Files.createDirectory(root.resolve("lib")).resolve("steep_repl.so"), "new library");
        Path extension = Files.createDirectory(root.resolve("extension"));
        Files.writeString(extension.resolve("steep_repl.control"), "new control");
        for (String script : List.of("0.1.0", "0.2.0", "0.1.0--0.2.0")) {
            Files.writeString(extension.resolve("steep_repl--" + script + ".sql"), "new sql");
        }
        Files.createDirectories(folder.resolve("server/lib"));
        Files.createDirectories(folder.resolve("server/share/extension"));
    }

    private Server server(String version) throws IOException {
        Path program = folder.resolve("pg_config");
        Files.writeString(program, """
                #!/bin/sh
                case $1 in
                --version) echo '%s' ;;
                --sharedir) echo '%s/server/share' ;;
                --pkglibdir) echo '%s/server/lib' ;;
                esac
                """.formatted(version, folder, folder));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return Server.find(program, Map.of());
    }

    private List<String> installed() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("server"))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> folder.resolve("server").relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void putsLibraryAllScriptsAndControlFileInPlace() throws IOException {
        Server server = server("PostgreSQL 18.1 (Debian 18.1-1)");
        new Installer(server.pgConfig()).install(stage.copiesInto(server));
        assertThat(installed())
                .containsExactly(
                        "lib/steep_repl.so",
                        "share/extension/steep_repl--0.1.0--0.2.0.sql",
                        "share/extension/steep_repl--0.1.0.sql",
                        "share/extension/steep_repl--0.2.0.sql",
                        "share/extension/steep_repl.control");
    }

    @Test
    void replacesWhatIsThere() throws IOException {
        Path library = Files.writeString(folder.resolve("server/lib/steep_repl.so"), "old library");
        Server server = server("PostgreSQL 18.1");
        new Installer(server.pgConfig()).install(stage.copiesInto(server));
        assertThat(library).hasContent("new library");
        assertThat(installed()).hasSize(5);
    }

    @Test
    void putsEverythingBackWhenAFileCannotBePlaced() throws IOException {
        Path library = Files.writeString(folder.resolve("server/lib/steep_repl.so"), "old library");
        // A folder that is not empty stands where the control file, the last one, is to go.
        Path obstacle = folder.resolve("server/share/extension/steep_repl.control");
        Files.createDirectories(obstacle.resolve("x"));
        Server server = server("PostgreSQL 18.1");
        assertThatThrownBy(() -> new Installer(server.pgConfig()).install(stage.copiesInto(server)))
                .isInstanceOfSatisfying(
                        ApiException.Failed.class, e -> assertThat(e.detail()).contains("nothing has been changed"));
        assertThat(library).hasContent("old library");
        assertThat(installed()).containsExactly("lib/steep_repl.so");
    }

    @Test
    void refusesAnotherMajorVersionNamingBoth() {
        assertThatThrownBy(() -> server("PostgreSQL 17.6"))
                .isInstanceOf(ApiException.Failed.class)
                .hasMessageContaining("PostgreSQL 18 is required, found PostgreSQL 17.6");
    }

    @Test
    void aProgramThatIsNotThereIsWrongUsage() {
        assertThatThrownBy(() -> Server.find(folder.resolve("none"), Map.of())).isInstanceOf(ApiException.Usage.class);
    }
}
