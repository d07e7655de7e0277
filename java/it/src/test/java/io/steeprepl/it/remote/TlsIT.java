package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.tls.Authority;
import io.steeprepl.daemon.grpc.GrpcServer;
import io.steeprepl.daemon.grpc.Members;
import io.steeprepl.daemon.grpc.Refusals;
import io.steeprepl.it.daemon.DaemonProcess;
import io.steeprepl.remote.grpc.Endpoint;
import io.steeprepl.remote.grpc.GrpcTransport;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.grpc.TlsFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who is let in on the port for other nodes, over real sockets with real certificates. */
class TlsIT {
    private final Set<String> nodes = ConcurrentHashMap.newKeySet();
    private final Set<String> kinds = ConcurrentHashMap.newKeySet();
    private final List<String> refused = new CopyOnWriteArrayList<>();
    private Certs certs;
    private Refusals refusals;
    private GrpcServer server;

    @BeforeEach
    void start() throws IOException {
        certs = new Certs();
        certs.init("a", "b", "c", "admin");
        nodes.addAll(List.of("a", "b"));
        refusals = new Refusals((address, reason) -> {
            kinds.add(reason.kind());
            refused.add(address + " " + reason.text());
        });
        server = new GrpcServer(parts(Optional.of(certs.of("a")), InetAddress.getLoopbackAddress()));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        certs.close();
    }

    private GrpcServer.Parts parts(Optional<TlsFiles> tls, InetAddress address) {
        return new GrpcServer.Parts(
                new InetSocketAddress(address, 0),
                tls,
                new Members(() -> nodes, () -> List.of("admin"), List::of),
                refusals,
                List.of(),
                () -> new PeerHealth("a", "test", true, "18", "", Instant.EPOCH));
    }

    private String ask(Optional<TlsFiles> tls) {
        try (GrpcTransport transport = transport(tls)) {
            return transport.health("b").nodeId();
        }
    }

    private GrpcTransport transport(Optional<TlsFiles> tls) {
        return GrpcTransport.to(new Endpoint("localhost", server.port()), tls, Duration.ofSeconds(10));
    }

    private void isRefused(TlsFiles tls, String why) {
        long before = refusals.count();
        assertThatThrownBy(() -> ask(Optional.of(tls))).isInstanceOf(ApiException.CannotConnect.class);
        awaitRefusal(before, why);
    }

    private void awaitRefusal(long before, String why) {
        Awaitility.await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            assertThat(refusals.count()).isGreaterThan(before);
            // It is counted first, and told then.
            assertThat(refused).hasSizeGreaterThan((int) before);
            assertThat(refused).last().asString().startsWith("127.0.0.1 ").contains(why);
        });
    }

    @Test
    void nodesAndThoseWhoAreAllowedAreLetIn() {
        assertThat(ask(Optional.of(certs.of("b")))).isEqualTo("a");
        assertThat(ask(Optional.of(certs.of("admin")))).isEqualTo("a");
        assertThat(refused).isEmpty();
    }

    @Test
    void whoIsNoNodeIsRefused() {
        isRefused(certs.of("c"), "certificate is that of c");
        assertThatThrownBy(() -> ask(Optional.of(certs.of("c")))).hasMessageContaining("refuses this certificate");
    }

    /** They say where a server is reached, and stand in the certificates of many. */
    @Test
    void whoIsReachedUnderTheNameOfAnotherIsNotTheOther() {
        certs.init("d=admin,b,a");
        isRefused(certs.of("d"), "certificate is that of d, which");
        nodes.add("localhost");
        isRefused(certs.of("d"), "certificate is that of d, which");
    }

    @Test
    void anExpiredCertificateIsRefused() throws Exception {
        Instant now = Instant.now();
        isRefused(
                certs.forged(certs.ca(), "b", now.minus(Duration.ofDays(9)), now.minus(Duration.ofDays(1))),
                "its certificate has expired");
    }

    @Test
    void aCertificateOfTomorrowIsRefused() throws Exception {
        Instant now = Instant.now();
        isRefused(
                certs.forged(certs.ca(), "b", now.plus(Duration.ofDays(1)), now.plus(Duration.ofDays(9))),
                "its certificate is not yet valid");
    }

    @Test
    void aCertificateOfAnotherAuthorityIsRefused() throws Exception {
        Instant now = Instant.now();
        // Even of one that calls itself the same. Of one with another name a client that keeps to the rules shows
        // nothing.
        Authority same = Authority.create("steep-repl CA", Duration.ofDays(2));
        isRefused(certs.forged(same, "b", now.minusSeconds(60), now.plusSeconds(600)), "of another CA");
        Authority other = Authority.create("another", Duration.ofDays(2));
        isRefused(certs.forged(other, "b", now.minusSeconds(60), now.plusSeconds(600)), "no certificate");
    }

    @Test
    void aClientWithoutCertificateIsRefused() throws Exception {
        long before = refusals.count();
        SSLContext context = trusting();
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", server.port())) {
            socket.setSoTimeout(10_000);
            var parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            assertThatThrownBy(() -> socket.getInputStream().readNBytes(100_000))
                    .isInstanceOf(IOException.class);
        }
        awaitRefusal(before, "no certificate");
    }

    @Test
    void olderTlsIsRefused() throws Exception {
        long before = refusals.count();
        try (SSLSocket socket = (SSLSocket) trusting().getSocketFactory().createSocket("localhost", server.port())) {
            socket.setSoTimeout(10_000);
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            assertThatThrownBy(socket::startHandshake).isInstanceOf(IOException.class);
        }
        awaitRefusal(before, "TLS");
    }

    @Test
    void whatAStrangerSendsIsNeitherKeptNorTellsRefusalsApart() throws Exception {
        for (int i = 0; i < 3; i++) {
            long before = refusals.count();
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                socket.setSoTimeout(10_000);
                // Code points that no host name may have: the check's own message quotes the whole name.
                socket.getOutputStream()
                        .write(ClientHello.naming(i + "\u0000\u0007\n" + "x".repeat(30_000) + "\ue000"));
                socket.getInputStream().readAllBytes();
            }
            awaitRefusal(before, "TLS");
        }
        assertThat(kinds).hasSize(1);
        assertThat(refused)
                .hasSize(3)
                .allMatch(line -> line.length() < 250 && line.endsWith("…"), "cut")
                .allMatch(line -> line.chars().noneMatch(Character::isISOControl), "printable");
    }

    private SSLContext trusting() throws Exception {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", certs.of("a").authorities()[0]);
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    @Test
    void plaintextIsRefused() throws Exception {
        long before = refusals.count();
        assertThatThrownBy(() -> ask(Optional.empty())).isInstanceOf(ApiException.CannotConnect.class);
        awaitRefusal(before, "does not speak TLS");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        }
        awaitRefusal(before + 1, "does not speak TLS");
    }

    @Test
    void whoBeginsManyHandshakesAndEndsNoneIsCutOff() throws Exception {
        try (GrpcTransport member = transport(Optional.of(certs.of("b")))) {
            assertThat(member.health("b").nodeId()).isEqualTo("a");
            List<Socket> silent = new ArrayList<>();
            try {
                while (refusals.count() == 0 && silent.size() < 100) {
                    Socket one = new Socket(InetAddress.getLoopbackAddress(), server.port());
                    one.setSoTimeout(50);
                    silent.add(one);
                    assertThat(isOpen(one) || refusals.count() > 0).isTrue();
                }
                assertThat(silent).hasSizeBetween(2, 40);
                awaitRefusal(0, "too many of its connections");
                // Whoever is in stays in.
                assertThat(member.health("b").nodeId()).isEqualTo("a");
            } finally {
                for (Socket one : silent) {
                    one.close();
                }
            }
            Awaitility.await()
                    .atMost(Duration.ofSeconds(10))
                    .ignoreExceptions()
                    .until(() -> ask(Optional.of(certs.of("b"))).equals("a"));
        }
    }

    private static boolean isOpen(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() >= 0;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (SocketException e) {
            return false;
        }
    }

    @Test
    void aNodeThatIsRemovedIsRefusedOnTheConnectionThatItHas() {
        try (GrpcTransport transport = transport(Optional.of(certs.of("b")))) {
            assertThat(transport.health("b").nodeId()).isEqualTo("a");
            nodes.remove("b");
            assertThatThrownBy(() -> transport.health("b")).isInstanceOf(ApiException.CannotConnect.class);
            assertThat(refused).last().asString().contains("certificate is that of b");
            nodes.add("b");
            assertThat(transport.health("b").nodeId()).isEqualTo("a");
        }
    }

    @Test
    void certificatesAreReadAgainAndConnectionsStay() throws Exception {
        try (GrpcTransport before = transport(Optional.of(certs.of("b")));
                Certs others = new Certs()) {
            assertThat(before.health("b").nodeId()).isEqualTo("a");
            others.init("a", "b");
            server.reload(others.of("a"));
            // The one that is there goes on; who comes new needs a certificate of the new authority.
            assertThat(before.health("b").nodeId()).isEqualTo("a");
            assertThat(ask(Optional.of(others.of("b")))).isEqualTo("a");
            assertThatThrownBy(() -> ask(Optional.of(certs.of("b")))).isInstanceOf(ApiException.CannotConnect.class);

            // What cannot be used changes nothing.
            var mixed = new TlsFiles(
                    certs.of("a").ca(),
                    certs.of("a").certificate(),
                    certs.of("b").key());
            assertThatThrownBy(() -> server.reload(mixed)).isInstanceOf(ApiException.Usage.class);
            assertThat(ask(Optional.of(others.of("b")))).isEqualTo("a");
        }
    }

    @Test
    void aKeyThatOthersCanReadIsNotUsed() throws IOException {
        TlsFiles files = certs.of("b");
        for (String more : List.of("rw----r--", "rw--w----", "rw-r--rw-")) {
            Files.setPosixFilePermissions(files.key(), PosixFilePermissions.fromString(more));
            assertThatThrownBy(() -> ask(Optional.of(files)))
                    .isInstanceOf(ApiException.Usage.class)
                    .hasMessageContaining("may be used by others: " + more);
        }
        Files.setPosixFilePermissions(files.key(), PosixFilePermissions.fromString("r--------"));
        assertThat(ask(Optional.of(files))).isEqualTo("a");
    }

    @Test
    void aServerThatIsNotWhoItShouldBeIsNotBelieved() throws Exception {
        try (Certs others = new Certs()) {
            others.init("b");
            assertThat(unreachable(transport(Optional.of(others.of("b")))))
                    .contains("not of the authority that is trusted here", "ca-cert.pem in --certs");
        }
        // Of the right authority, and for another host: 127.0.0.2 is none of its names.
        try (GrpcServer elsewhere =
                        new GrpcServer(parts(Optional.of(certs.of("a")), InetAddress.getByName("127.0.0.2")));
                GrpcTransport transport = GrpcTransport.to(
                        new Endpoint("127.0.0.2", elsewhere.port()),
                        Optional.of(certs.of("b")),
                        Duration.ofSeconds(10))) {
            assertThat(unreachable(transport)).contains("is not for this name", "127.0.0.2", "--force NODE=HOST");
        }
    }

    @Test
    void whyThereIsNoConnectionIsSaidWithWhatHelps() throws Exception {
        Instant now = Instant.now();
        TlsFiles old = certs.forged(certs.ca(), "b", now.minus(Duration.ofDays(9)), now.minus(Duration.ofDays(1)));
        assertThat(unreachable(transport(Optional.of(old)))).contains("does not take this certificate", "expired");
        assertThat(unreachable(transport(Optional.empty()))).contains("ended the connection", "--certs");
        assertThat(unreachable(GrpcTransport.to(
                        new Endpoint("localhost", DaemonProcess.freePort()),
                        Optional.of(certs.of("b")),
                        Duration.ofSeconds(10))))
                .contains("Connection refused", "repl.grpc.port");
        assertThat(unreachable(GrpcTransport.to(
                        // Longer than a name can be, so that no resolver is asked.
                        new Endpoint("h".repeat(64) + ".invalid", 5433),
                        Optional.of(certs.of("b")),
                        Duration.ofSeconds(10))))
                .contains("nobody knows the host", "is the name right?");
    }

    /** Why, and what to do. */
    private static String unreachable(GrpcTransport transport) {
        try (transport) {
            transport.health("b");
        } catch (ApiException.CannotConnect e) {
            return e.detail() + "; " + e.hint();
        }
        throw new AssertionError("it was let in");
    }

    @Test
    void withoutCertificatesOnlyThisMachineIsServed() throws Exception {
        assertThatThrownBy(() -> new GrpcServer(parts(Optional.empty(), InetAddress.getByName("0.0.0.0"))))
                .isInstanceOf(ApiException.Usage.class)
                .hasMessageContaining("loopback");
        try (GrpcServer open = new GrpcServer(parts(Optional.empty(), InetAddress.getLoopbackAddress()));
                GrpcTransport transport = GrpcTransport.to(
                        new Endpoint("localhost", open.port()), Optional.empty(), Duration.ofSeconds(10))) {
            assertThat(transport.health("b").nodeId()).isEqualTo("a");
        }
        assertThatThrownBy(() ->
                        GrpcTransport.to(new Endpoint("192.0.2.1", 5433), Optional.empty(), Duration.ofSeconds(1)))
                .isInstanceOf(ApiException.Usage.class);
    }
}
