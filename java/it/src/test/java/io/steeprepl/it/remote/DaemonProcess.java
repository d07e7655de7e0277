package io.steeprepl.it.remote;

import io.steeprepl.cli.Main;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A daemon as users run it: a process of its own. Its files are in the folder of the certificates. */
final class DaemonProcess {
    private final String id;
    private final int port;
    private final int http;
    private final Path config;
    private final Path socket;
    private final Path log;
    private @Nullable Process process;

    /** {@code peers}: by node id the ports of the other daemons. */
    DaemonProcess(TestNode node, int port, Map<String, Integer> peers, Certs certs) throws IOException {
        this.id = node.id();
        this.port = port;
        try (ServerSocket free = new ServerSocket(0)) {
            this.http = free.getLocalPort();
        }
        Path folder = certs.folder();
        config = folder.resolve(id + ".yaml");
        socket = folder.resolve(id + ".sock");
        log = folder.resolve(id + ".log");
        var addresses = new ArrayList<String>();
        peers.forEach((peer, at) -> addresses.add("%s: 'localhost:%d'".formatted(peer, at)));
        Files.writeString(
                config, """
                repl:
                  node_id: %1$s
                  postgresql:
                    connection: "%2$s"
                    check_interval: 500ms
                  grpc:
                    bind: 127.0.0.1
                    port: %3$d
                    tls:
                      cert_file: %4$s/%1$s/node-cert.pem
                      key_file: %4$s/%1$s/node-key.pem
                      ca_file: %4$s/ca-cert.pem
                    allow: [admin]
                  http:
                    port: %7$d
                  ipc:
                    path: %5$s
                  peers:
                    interval: 500ms
                    timeout: 2s
                    threshold: 2
                    addresses: {%6$s}
                """.formatted(id, node.uri(), port, folder, socket, String.join(", ", addresses), http));
    }

    DaemonProcess start() throws IOException {
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "--config",
                        config.toString(),
                        "run",
                        "--name",
                        "it-%s-%d".formatted(id, port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return this;
    }

    void kill9() throws InterruptedException {
        Process running = process;
        if (running != null) {
            running.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
    }

    String remote() {
        return "localhost:" + port;
    }

    Path config() {
        return config;
    }

    Path socket() {
        return socket;
    }

    /** What {@code GET /health} answers now. */
    String health() throws IOException {
        try (var body =
                URI.create("http://127.0.0.1:%d/health".formatted(http)).toURL().openStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** What it has logged so far, a line each. */
    List<String> log() throws IOException {
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    /** Ends it as a service manager does. */
    void stop() throws InterruptedException {
        Process running = process;
        if (running != null) {
            running.destroy();
            if (!running.waitFor(20, TimeUnit.SECONDS)) {
                running.destroyForcibly();
            }
        }
    }
}
