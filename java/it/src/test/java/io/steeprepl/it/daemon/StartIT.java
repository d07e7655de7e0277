package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starting where something is amiss, and going on where a reload is. No database is needed for that. */
class StartIT {
    private static final String NO_DATABASE =
            "  postgresql: {connection: 'host=127.0.0.1 port=1', reconnect_max: 1s}\n";

    @TempDir
    private Path folder;

    private DaemonProcess daemon(String name, String yaml, Map<String, String> environment) {
        return new DaemonProcess(folder, name, NO_DATABASE + yaml, environment);
    }

    @Test
    void withoutCertificatesItWarnsAtEachStart() {
        String yaml = "  grpc: {insecure: true, bind: 127.0.0.1, port: %d}\n".formatted(DaemonProcess.freePort());
        try (DaemonProcess daemon = daemon("open", yaml, Map.of())) {
            for (int start = 1; start <= 2; start++) {
                int count = start;
                daemon.begin();
                daemon.await("it to serve", () -> daemon.timesLogged("runs as process") == count);
                assertThat(daemon.timesLogged("repl.grpc.insecure: every account of this machine may read"))
                        .isEqualTo(count);
                assertThat(daemon.term()).isZero();
            }
        }
    }
}
