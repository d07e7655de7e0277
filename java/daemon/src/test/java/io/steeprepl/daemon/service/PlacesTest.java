package io.steeprepl.daemon.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.Launch;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a service is given of the file system. */
class PlacesTest {
    private static Places places(String repl) {
        ConfigPath config = new ConfigPath(Path.of("/etc/steep/config.yaml"), ConfigPath.Source.OPTION);
        var launch = new Launch(config, "shop", null, new Surroundings(Map.of(), Path.of("/"), "nobody"));
        Document document = Document.read(config, "repl: {" + repl + "}");
        return Places.of(launch, ReplSettings.read(document, launch.around()));
    }

    @Test
    void theSocketAndTheLockCanBeMadeWhereverTheyAre() {
        assertThat(places("").writes()).containsExactly(Path.of("/tmp"));
        Places elsewhere = places("ipc: {path: /srv/steep/shop.sock}");
        assertThat(elsewhere.writes()).containsExactly(Path.of("/tmp"), Path.of("/srv/steep"));
        assertThat(elsewhere.runtime()).isEmpty();
        assertThat(places("ipc: {path: /srv/steep/shop.sock, enabled: false}").writes())
                .containsExactly(Path.of("/tmp"));
    }

    /** It would not be there at the next boot, and a service with it among its paths would not start. */
    @Test
    void whatIsBelowRunIsMadeAtEachStart() {
        Places below = places("ipc: {path: /run/steep/repl/shop.sock}");
        assertThat(below.writes()).containsExactly(Path.of("/tmp"));
        assertThat(below.runtime()).contains(Path.of("steep/repl"));
        assertThat(places("ipc: {path: /run/shop.sock}").writes()).containsExactly(Path.of("/tmp"), Path.of("/run"));
    }

    @Test
    void theFilesThatItReadsHaveToBeMounted() {
        assertThat(places("grpc: {tls: {cert_file: /mnt/c, key_file: key, ca_file: ../ca}}")
                        .needs())
                .containsExactly(
                        Path.of("/etc/steep/config.yaml"),
                        Path.of("/mnt/c"),
                        Path.of("/etc/steep/key"),
                        Path.of("/etc/steep/../ca"));
    }
}
