package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Monitors that behave, and others. */
@ExtendWith(ClusterLogs.class)
class HttpIT {
    private static Cluster cluster;

    @TempDir
    private static Path folder;

    private static DaemonProcess daemon;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        daemon = DaemonProcess.of(folder, "http", cluster.node(0).uri()).start().connected();
    }

    @AfterAll
    static void stop() {
        daemon.close();
        cluster.close();
    }

    private static Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), daemon.port);
    }

    private static String raw(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void headAndOtherMethodsAreAnsweredAsHttpWantsIt() throws IOException {
        String head = raw("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertThat(head).startsWith("HTTP/1.1 200").contains("application/json").endsWith("\r\n\r\n");
        assertThat(raw("POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 405")
                .containsIgnoringCase("Allow: GET, HEAD");
        assertThat(raw("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 404");
    }

    @Test
    void metricsAreWrittenAsPrometheusReadsThem() {
        String[] lines = daemon.get("/metrics").body().split("\n");
        assertThat(Arrays.stream(lines).filter(line -> !line.startsWith("#")))
                .allMatch(line -> line.matches("[a-z_]+(\\{[^}]*\\})? [-+0-9.eE]+"), "a sample");
        assertThat(Arrays.stream(lines)
                        .filter(line -> line.startsWith("# HELP"))
                        .count())
                .isEqualTo(Arrays.stream(lines)
                        .filter(line -> line.startsWith("# TYPE"))
                        .count())
                .isGreaterThan(10);
    }

    @Test
    void garbageAndThoseWhoSayNothingKeepNobodyOut() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                Socket socket = connect();
                silent.add(socket);
                socket.getOutputStream().write("GET /hea".getBytes(StandardCharsets.US_ASCII));
            }
            for (int i = 0; i < 100; i++) {
                byte[] bytes = new byte[random.nextInt(500)];
                random.nextBytes(bytes);
                try (Socket socket = connect()) {
                    socket.getOutputStream().write(bytes);
                }
            }
            assertThat(daemon.get("/health").statusCode()).as("seed %d", seed).isEqualTo(200);
            Socket first = silent.getFirst();
            first.setSoTimeout(60_000);
            assertThat(first.getInputStream().readAllBytes())
                    .as("one that does not end its request is ended")
                    .isNotNull();
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void whereItIsNotWantedNobodyListens() throws IOException {
        try (DaemonProcess quiet =
                DaemonProcess.of(folder, "quiet", cluster.node(0).uri())) {
            quiet.write(
                    "repl:\n  postgresql: {connection: '%s'}\n  ipc: {path: %s}\n  http: {enabled: false, port: %d}\n"
                            .formatted(cluster.node(0).uri(), quiet.socket(), quiet.port));
            quiet.start();
            assertThat(quiet.call("status.get").has("pid")).isTrue();
            assertThat(org.assertj.core.api.Assertions.catchThrowable(
                            () -> new Socket(InetAddress.getLoopbackAddress(), quiet.port).close()))
                    .isInstanceOf(ConnectException.class);
        }
    }
}
