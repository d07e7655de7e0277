package io.steeprepl.it.remote;

import io.steeprepl.it.daemon.DaemonProcess;
import io.steeprepl.testkit.TestNode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A daemon beside a node, for which others are known. Its files are in the folder of the certificates.
 *
 * @param port on which others reach it
 */
record NodeDaemon(DaemonProcess process, int port) {
    /** Starts one and does not wait. {@code peers}: by node id the ports of the other daemons. */
    static NodeDaemon begin(TestNode node, int port, Map<String, Integer> peers, Certs certs) {
        String addresses = peers.entrySet().stream()
                .map(peer -> "%s: 'localhost:%d'".formatted(peer.getKey(), peer.getValue()))
                .collect(Collectors.joining(", "));
        String yaml = """
                  node_id: %1$s
                  postgresql: {connection: "%2$s", check_interval: 500ms}
                  grpc:
                    bind: 127.0.0.1
                    port: %3$d
                    tls:
                      cert_file: %4$s/%1$s/node-cert.pem
                      key_file: %4$s/%1$s/node-key.pem
                      ca_file: %4$s/ca-cert.pem
                    allow: [admin]
                  peers: {interval: 500ms, timeout: 2s, threshold: 2, addresses: {%5$s}}
                """.formatted(node.id(), node.uri(), port, certs.folder(), addresses);
        return new NodeDaemon(new DaemonProcess(certs.folder(), node.id(), yaml, Map.of()).begin(), port);
    }

    /** What {@code --remote} takes. */
    String remote() {
        return "localhost:" + port;
    }

    /** What it has logged so far, a line each. */
    List<String> log() {
        return process.logText().lines().toList();
    }
}
