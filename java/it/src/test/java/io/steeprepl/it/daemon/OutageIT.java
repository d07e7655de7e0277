package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.it.Debian;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.Server;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The database goes away and comes back, and the daemon says so and stays. */
@ExtendWith(ClusterLogs.class)
class OutageIT {
    private static final String ACTIONS =
            "SELECT string_agg(action, ' ' ORDER BY id) FROM steep_repl.audit_log WHERE action LIKE 'daemon.%' AND action <> 'daemon.start'";

    private Cluster cluster;
    private TestNode a;
    private TestNode b;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void aServerThatIsKilledIsSeenOnBothSidesAndAgainWhenItIsBack() {
        try (DaemonProcess atA = DaemonProcess.of(folder, "a", a.uri()).start().connected();
                DaemonProcess atB =
                        DaemonProcess.of(folder, "b", b.uri()).start().connected()) {
            b.server().kill9();
            atB.await("the outage", () -> atB.get("/health").statusCode() == 503);
            assertThat(atB.health()
                            .path("components")
                            .path("postgresql")
                            .path("status")
                            .asText())
                    .isEqualTo("unhealthy");
            assertThat(atB.metric("steep_repl_postgresql_up")).isZero();
            assertThat(atB.metric("steep_repl_node_up{node=\"b\"}")).isZero();
            assertThat(atB.call("status.get")
                            .path("components")
                            .path("postgresql")
                            .path("state")
                            .asText())
                    .isEqualTo("disconnected");
            atA.await("the peer to be missed", () -> atA.metric("steep_repl_node_up{node=\"b\"}") == 0);
            assertThat(a.query("SELECT status FROM steep_repl.nodes WHERE node_id = 'b'"))
                    .isEqualTo("unavailable");
            // Whoever sends work by it must not leave the node that is there.
            atA.await("the peer's outage", () -> atA.get("/health").body().contains("its database does not answer"));
            assertThat(atA.get("/health").statusCode()).isEqualTo(200);
            assertThat(atA.health().path("status").asText()).isEqualTo("degraded");
            atA.await(
                    "why, in the audit log",
                    () -> a.query("SELECT error_message FROM steep_repl.audit_log WHERE action = 'daemon.peer_lost'")
                            .equals("node b is unavailable: its database does not answer"));
            b.server().start();
            Instant back = Instant.now();
            atB.connected();
            assertThat(Duration.between(back, Instant.now())).isLessThan(Duration.ofSeconds(30));
            atA.await("the peer", () -> atA.metric("steep_repl_node_up{node=\"b\"}") == 1);
            atB.await("the audit log", () -> b.query(ACTIONS).equals("daemon.database_lost daemon.database_back"));
            atA.await("the audit log", () -> a.query(ACTIONS).equals("daemon.peer_lost daemon.peer_back"));
            assertThat(atB.timesLogged("connected to the database")).isEqualTo(2);
            atB.await("what it counts", () -> atB.metric("steep_repl_audit_writes_total") == 3);
        }
    }

    @Test
    void healthIsAnsweredAtOnceWhileTheDatabaseIsGone() {
        try (DaemonProcess daemon =
                DaemonProcess.of(folder, "quick", b.uri()).start().connected()) {
            b.server().kill9();
            daemon.await("the outage", () -> daemon.get("/health").statusCode() == 503);
            List<Duration> took = new ArrayList<>();
            for (int i = 0; i < 101; i++) {
                Instant asked = Instant.now();
                assertThat(daemon.get("/health").statusCode()).isEqualTo(503);
                took.add(Duration.between(asked, Instant.now()));
            }
            // One by one; the median, because the machine may have other things to do for a moment.
            assertThat(took.stream().sorted().toList().get(50)).as("%s", took).isLessThan(Duration.ofMillis(100));
        }
    }

    @Test
    void itStartsWithoutADatabaseAndFindsItLater() {
        b.server().stop();
        try (DaemonProcess daemon = DaemonProcess.of(folder, "early", b.uri()).start()) {
            daemon.await("the first attempt", () -> daemon.logged("no connection to the database"));
            assertThat(daemon.get("/health").statusCode()).isEqualTo(503);
            assertThat(daemon.process().isAlive()).isTrue();
            b.server().start();
            daemon.connected();
            daemon.await("the audit log", () -> b.query(ACTIONS).equals("daemon.database_lost daemon.database_back"));
            assertThat(daemon.term()).isZero();
        }
    }

    @Test
    void aServerThatHangsCountsAsGone() {
        String yaml = "  postgresql: {connection: '%s', check_interval: 300ms, check_timeout: 1s, connect_timeout: 2s}"
                .formatted(b.uri());
        try (DaemonProcess daemon =
                new DaemonProcess(folder, "frozen", yaml, Map.of()).start().connected()) {
            b.server().freeze();
            try {
                daemon.await("the outage", () -> daemon.get("/health").statusCode() == 503);
                assertThat(daemon.logText())
                        .containsPattern("no connection to the database: .*(did not answer within|cannot connect)");
                assertThat(daemon.call("status.get").path("status").asText()).isEqualTo("unhealthy");
            } finally {
                b.server().thaw();
            }
            daemon.connected();
            assertThat(daemon.term()).isZero();
        }
    }

    @Test
    void aDatabaseWithoutTheExtensionIsConnectedAndUnhealthy() {
        b.execute("CREATE DATABASE bare");
        try (DaemonProcess daemon = DaemonProcess.of(folder, "bare", b.uri().replace("/test", "/bare"))
                .start()) {
            daemon.await(
                    "the look",
                    () -> daemon.health()
                            .path("components")
                            .path("postgresql")
                            .path("state")
                            .asText()
                            .equals("connected"));
            assertThat(daemon.get("/health").statusCode()).isEqualTo(503);
            assertThat(daemon.health().path("reasons").toString()).contains("does not have the extension steep_repl");
        }
    }

    @Test
    void aServerThatIsTooOldIsRefusedAndTheDaemonStays() throws IOException, InterruptedException {
        Path old = folder.resolve("old");
        Files.createDirectories(old);
        folder.toFile().setExecutable(true, false);
        folder.toFile().setReadable(true, false);
        Server server = Server.plain(old, Debian.postgres(15)).start();
        try (DaemonProcess daemon = DaemonProcess.of(
                        folder, "old", "postgresql://postgres@127.0.0.1:%d/postgres".formatted(server.port()))
                .start()) {
            daemon.await("the refusal", () -> daemon.logged("steep-repl needs 18 or newer"));
            assertThat(daemon.health()
                            .path("components")
                            .path("postgresql")
                            .path("state")
                            .asText())
                    .isEqualTo("refused");
            assertThat(daemon.process().isAlive()).isTrue();
            assertThat(daemon.term()).isZero();
        } finally {
            server.kill9();
        }
    }
}
