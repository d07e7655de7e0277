package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starting where something is amiss, and going on where a reload is. No database is needed for that. */
class StartIT {
    private static final String NO_DATABASE =
            "  postgresql: {connection: 'host=127.0.0.1 port=1', reconnect_max: 1s}\n";

    private static final String LISTENER = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(sys.argv[1])
            s.settimeout(60)
            print('bound', flush=True)
            while True:
                print(s.recv(4096).decode().split('\\n')[0], flush=True)
            """;

    @TempDir
    private Path folder;

    private DaemonProcess daemon(String name, String yaml, Map<String, String> environment) {
        return new DaemonProcess(folder, name, NO_DATABASE + yaml, environment);
    }

    @Test
    void whatTheMachineLacksIsSaidBeforeAnythingIsStarted() {
        String yaml = """
                  grpc:
                    bind: 203.0.113.7
                    tls: {cert_file: c.pem, key_file: k.pem, ca_file: a.pem}
                  peers: {addresses: {b: 'localhost:70000'}}
                """;
        try (DaemonProcess daemon = daemon("lacking", yaml, Map.of())) {
            assertThat(daemon.begin().ended()).isEqualTo(2);
            assertThat(daemon.logText())
                    .contains(
                            "has 5 problems",
                            "lacking.yaml:4: repl.grpc.bind: 203.0.113.7 is no address of this machine",
                            "lacking.yaml:5: repl.grpc.tls.cert_file: cannot read a certificate",
                            "lacking.yaml:5: repl.grpc.tls.key_file: cannot read a private key",
                            "lacking.yaml:5: repl.grpc.tls.ca_file: cannot read a certificate",
                            "lacking.yaml:6: repl.peers.addresses: the address of b is not host:port")
                    .doesNotContain("listening");
            assertThat(daemon.socket()).doesNotExist();
        }
    }

    /** A service manager tries that again. */
    @Test
    void whatMayPassIsWorthAnotherStart() {
        try (DaemonProcess daemon =
                daemon("early", "  grpc: {insecure: true, bind: 127.0.0.1, port: 5433}\n", Map.of())) {
            daemon.write("repl:\n  http: {bind: 203.0.113.7}\n");
            assertThat(daemon.begin().ended()).isEqualTo(1);
            assertThat(daemon.logText()).contains("early.yaml:2: repl.http.bind: 203.0.113.7 is no address");
        }
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

    @Test
    void systemdHearsThatItIsReadyAgainWhateverBecameOfTheReload() throws IOException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "systemd is Linux's");
        Path socket = folder.resolve("notify");
        Process listener;
        try {
            listener = new ProcessBuilder("python3", "-c", LISTENER, socket.toString()).start();
        } catch (IOException e) {
            assumeTrue(false, "this machine has no python3");
            return;
        }
        try (BufferedReader heard =
                        new BufferedReader(new InputStreamReader(listener.getInputStream(), StandardCharsets.UTF_8));
                DaemonProcess daemon = daemon("told", "", Map.of("NOTIFY_SOCKET", socket.toString()))) {
            assertThat(heard.readLine()).isEqualTo("bound");
            daemon.start();
            assertThat(heard.readLine()).isEqualTo("READY=1");
            daemon.write("repl:\n  ipc: {path: \"a\\0b\"}\n");
            daemon.signal("HUP");
            assertThat(heard.readLine()).isEqualTo("RELOADING=1");
            assertThat(heard.readLine()).isEqualTo("READY=1");
            daemon.await("the reason", () -> daemon.logged("told.yaml:2: repl.ipc.path: not a path"));
        } finally {
            listener.destroyForcibly();
        }
    }
}
