package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Binaries;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.Server;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A server that is too old is named as such: by the install script itself, before any library is loaded, and by its peers. */
class OldServerIT {
    @Test
    void createExtensionNamesBothVersions() throws IOException, InterruptedException {
        Binaries fifteen = Debian.postgres(15);
        // bin is usr/lib/postgresql/15/bin, share usr/share/postgresql/15.
        Path extensions = fifteen.bin()
                .resolve("../../../../share/postgresql/15/extension")
                .normalize();
        Path stage = Path.of(System.getProperty("steeprepl.stage", "")).resolve("extension");
        try (Stream<Path> files = Files.list(stage)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith("steep_repl"))
                    .toList()) {
                Files.copy(
                        file, extensions.resolve(file.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        try (Folder folder = new Folder()) {
            Server server =
                    folder.keep(Server.plain(folder.resolve("old"), fifteen)).start();
            TestNode node = new TestNode("old", server, "postgres");
            assertThat(Sql.error(node, "CREATE EXTENSION steep_repl"))
                    .startsWith("0A000 steep_repl requires PostgreSQL 18 or newer, this server is 15.");
            assertThat(node.query("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'steep_repl%'"))
                    .isEqualTo("0");
            try (Cluster cluster = Cluster.start(1)) {
                assertThat(Sql.error(
                                cluster.node(0),
                                "SELECT * FROM steep_repl.compare_fingerprints('" + node.conninfo() + "')"))
                        .matches("SR021 the peer runs PostgreSQL 15\\..* / Its database is postgres\\.");
            }
        }
    }
}
