package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.daemon.grpc.GrpcServer;
import io.steeprepl.daemon.grpc.Members;
import io.steeprepl.daemon.grpc.Refusals;
import io.steeprepl.daemon.ipc.Answers;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.remote.grpc.Endpoint;
import io.steeprepl.remote.grpc.GrpcTransport;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.grpc.TlsFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What somebody who is let in may have done: over real sockets with real certificates, every method of the api. */
class RightsIT {
    private final List<String> done = new CopyOnWriteArrayList<>();
    private final List<String> refused = new CopyOnWriteArrayList<>();
    private final Refusals refusals = new Refusals((address, reason) -> refused.add(address + " " + reason.text()));
    private Certs certs;

    /** Has the classes of the real methods, and notes what comes through. */
    private final Answers noting = new Answers() {
        @Override
        public boolean knows(String method) {
            return Dispatcher.knows(method);
        }

        @Override
        public boolean reads(String method) {
            return Dispatcher.reads(method);
        }

        @Override
        public JsonNode answer(String method, JsonNode params) {
            if (!method.equals(Dispatcher.CANCEL)) {
                done.add(method);
            }
            return Codec.object();
        }
    };

    @BeforeEach
    void make() throws IOException {
        certs = new Certs();
        certs.init("a", "b", "admin", "monitor");
    }

    @AfterEach
    void remove() throws IOException {
        certs.close();
    }

    private GrpcServer server(Optional<TlsFiles> tls) {
        return new GrpcServer(new GrpcServer.Parts(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                tls,
                new Members(() -> List.of("a", "b"), () -> List.of("admin"), () -> List.of("monitor", "admin")),
                refusals,
                List.of(noting),
                () -> new PeerHealth("a", "test", true, "18", "", Instant.EPOCH)));
    }

    private static GrpcTransport way(GrpcServer server, Optional<TlsFiles> tls) {
        return GrpcTransport.to(new Endpoint("localhost", server.port()), tls, Duration.ofSeconds(10));
    }

    /** Reading comes through, all else does not; {@code who} stands in what is said. */
    private void onlyReads(GrpcTransport transport, String who) {
        assertThat(transport.health("").nodeId()).isEqualTo("a");
        for (String method : Dispatcher.methods()) {
            if (Dispatcher.reads(method)) {
                transport.call(method, Codec.object());
            } else {
                long before = refusals.count();
                assertThatThrownBy(() -> transport.call(method, Codec.object()))
                        .as(method)
                        .isInstanceOf(ApiException.Failed.class)
                        .hasMessageContaining("refuses this call");
                assertThat(refusals.count()).isEqualTo(before + 1);
                assertThat(refused)
                        .last()
                        .asString()
                        .startsWith("127.0.0.1 ")
                        .contains(who)
                        .contains(method);
            }
        }
        assertThat(done).isNotEmpty().allMatch(Dispatcher::reads);
        // That there is no such method is no secret.
        assertThatThrownBy(() -> transport.call("no.such", Codec.object())).isInstanceOf(ApiException.Usage.class);
    }

    @Test
    void aNodeReadsAndWhoIsNamedDoesEverything() {
        try (GrpcServer server = server(Optional.of(certs.of("a")));
                GrpcTransport node = way(server, Optional.of(certs.of("b")));
                GrpcTransport admin = way(server, Optional.of(certs.of("admin")))) {
            onlyReads(node, "certificate of b");
            done.clear();
            Dispatcher.methods().forEach(method -> admin.call(method, Codec.object()));
            assertThat(done).containsExactlyElementsOf(Dispatcher.methods());
        }
    }

    /** It is no node, and need not become one to look; that admin stands in both lists takes nothing away. */
    @Test
    void whoIsNamedAsAReaderReads() {
        try (GrpcServer server = server(Optional.of(certs.of("a")));
                GrpcTransport monitor = way(server, Optional.of(certs.of("monitor")))) {
            onlyReads(monitor, "certificate of monitor");
        }
    }

    @Test
    void withoutCertificatesOneReads() {
        try (GrpcServer server = server(Optional.empty());
                GrpcTransport anybody = way(server, Optional.empty())) {
            onlyReads(anybody, "without certificates");
        }
    }
}
