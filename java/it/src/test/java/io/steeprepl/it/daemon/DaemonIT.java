package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Main;
import io.steeprepl.remote.RemoteSteepRepl;
import io.steeprepl.remote.grpc.Endpoint;
import io.steeprepl.remote.grpc.GrpcTransport;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A daemon beside each of two linked nodes: starting, ending, and what it refuses. */
@ExtendWith(ClusterLogs.class)
class DaemonIT {
    private static final String ACTIONS =
            "SELECT string_agg(action, ' ' ORDER BY id) FROM steep_repl.audit_log WHERE action LIKE 'daemon.%' AND target_id LIKE '%-";

    private static Cluster cluster;
    private static TestNode a;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private DaemonProcess daemon(String name) {
        return DaemonProcess.of(folder, name, a.uri());
    }

    private static String actions(String name) {
        return a.query(ACTIONS + name + "'");
    }

    @Test
    void itServesUntilItIsToldToEnd() throws IOException {
        try (DaemonProcess daemon = daemon("whole").start().connected()) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(daemon.socket())))
                    .isEqualTo("rw-------");
            JsonNode health = daemon.health();
            assertThat(health.path("status").asText()).isEqualTo("healthy");
            assertThat(health.path("node").asText()).isEqualTo("a");
            assertThat(health.path("components")
                            .path("postgresql")
                            .path("status")
                            .asText())
                    .isEqualTo("healthy");
            assertThat(health.path("components").path("ipc").path("status").asText())
                    .isEqualTo("healthy");
            assertThat(health.path("components").has("grpc")).isTrue();
            assertThat(health.path("uptime_seconds").asDouble()).isPositive();
            JsonNode status = daemon.call("status.get");
            assertThat(status.path("pid").asLong()).isEqualTo(daemon.process().pid());
            assertThat(status.path("components")
                            .path("postgresql")
                            .path("state")
                            .asText())
                    .isEqualTo("connected");
            assertThat(status.path("nodes").findValuesAsText("node_id")).containsExactly("a", "b");
            assertThat(status.path("subscriptions").get(0).path("state").asText())
                    .isEqualTo("streaming");
            assertThat(daemon.call("health.check")
                            .path("node_health")
                            .path("worker")
                            .path("running")
                            .asBoolean())
                    .isTrue();
            assertThat(daemon.call("metrics.get").path("text").asText()).contains("# HELP steep_repl_postgresql_up ");
            assertThat(daemon.metric("steep_repl_postgresql_up")).isEqualTo(1);
            assertThat(daemon.metric("steep_repl_node_up{node=\"b\"}")).isEqualTo(1);
            assertThat(daemon.metric("steep_repl_replication_lag_bytes{peer=\"b\"}"))
                    .isNotNegative();
            assertThat(daemon.get("/nonsense").statusCode()).isEqualTo(404);
            cluster.nodes().forEach(node -> node.execute("CREATE TABLE counted (id serial PRIMARY KEY)"));
            a.query("SELECT steep_repl.add_table('counted')");
            String of = "{node=\"a\",table=\"public.counted\"}";
            daemon.await("its ranges", () -> daemon.metric("steep_repl_range_ids_left" + of) > 1e8);
            assertThat(daemon.metric("steep_repl_range_used_percent" + of)).isZero();
            assertThat(daemon.term()).isZero();
            assertThat(daemon.socket()).doesNotExist();
            assertThat(actions("whole")).isEqualTo("daemon.start daemon.stop");
            assertThat(daemon.logText().lines())
                    .allMatch(line -> DaemonProcess.json(line).has("level"));
        }
    }

    @Test
    void itCanBeToldToEndOverItsSocket() {
        try (DaemonProcess daemon = daemon("told").start().connected()) {
            String[] stop = {"--config", daemon.config().toString(), "stop", "--daemon"};
            assertThat(Main.commandLine().execute(stop)).isZero();
            assertThat(daemon.ended()).isZero();
            assertThat(actions("told")).isEqualTo("daemon.start daemon.stop");
            assertThat(Main.commandLine().execute(stop)).as("nobody is there").isNotZero();
        }
    }

    @Test
    void oneThatWasKilledIsReplaced() {
        try (DaemonProcess daemon = daemon("killed").start().connected()) {
            daemon.signal("KILL");
            daemon.ended();
            assertThat(daemon.socket()).exists();
            daemon.begin();
            daemon.await("the second", () -> daemon.timesLogged("runs as process") == 2);
            daemon.connected();
            assertThat(daemon.call("status.get").path("pid").asLong())
                    .isEqualTo(daemon.process().pid());
            assertThat(daemon.term()).isZero();
        }
    }

    @Test
    void aSecondOneIsRefusedWithTheProcessOfTheFirst() {
        try (DaemonProcess first = daemon("twice").start();
                DaemonProcess second = daemon("twice");
                DaemonProcess other = daemon("other")) {
            // The configuration of the second has replaced the file; the first has read its own.
            assertThat(second.begin().ended()).isEqualTo(1);
            assertThat(second.logText())
                    .contains("runs already, process " + first.process().pid(), "-twice ends it; --name tells");
            other.write("repl:\n  ipc: {path: %s}\n  http: {port: %d}\n".formatted(first.socket(), other.port));
            assertThat(other.begin().ended()).isEqualTo(1);
            assertThat(other.logText()).contains("another process serves on " + first.socket());
            assertThat(first.call("status.get").path("pid").asLong())
                    .isEqualTo(first.process().pid());
        }
    }

    @Test
    void aConfigurationWithProblemsStartsNothing() {
        try (DaemonProcess daemon = daemon("wrong")) {
            daemon.write("repl:\n  nodeid: a\n  http: {port: 99999}\n  log: {level: loud}\n");
            assertThat(daemon.begin().ended()).isEqualTo(2);
            assertThat(daemon.logText())
                    .contains(
                            "has 3 problems",
                            "wrong.yaml:2: repl.nodeid: unknown key",
                            "wrong.yaml:3: repl.http.port: 99999 is out of range",
                            "wrong.yaml:4: repl.log.level: unknown value \"loud\"");
            assertThat(daemon.socket()).doesNotExist();
        }
    }

    @Test
    void aPortThatIsTakenIsSaid() throws IOException {
        try (DaemonProcess daemon = daemon("port");
                ServerSocket taken = new ServerSocket(daemon.port, 1, InetAddress.getLoopbackAddress())) {
            assertThat(daemon.begin().ended()).isEqualTo(1);
            assertThat(daemon.logText())
                    .contains("cannot listen on 127.0.0.1:" + taken.getLocalPort(), "repl.http.port");
            assertThat(daemon.socket()).doesNotExist();
        }
    }

    @Test
    void whatIsLiveCountsAfterAReloadAndTheRestIsNamed() {
        try (DaemonProcess daemon = daemon("reload").start().connected()) {
            String database =
                    "  postgresql: {connection: '%s', check_interval: 200ms, pool_size: 5}".formatted(a.uri());
            daemon.configure("  log: {level: debug}\n" + database);
            JsonNode said = daemon.call("config.reload");
            assertThat(said.path("in_effect").toString())
                    .isEqualTo("[\"repl.postgresql.check_interval\",\"repl.log.level\"]");
            assertThat(said.path("needs_restart").toString()).isEqualTo("[\"repl.postgresql.pool_size\"]");
            daemon.configure("  log: {level: info}\n" + database);
            daemon.signal("HUP");
            daemon.await("the signal", () -> daemon.timesLogged("the configuration was read again") == 2);
            daemon.write("repl: {log: {level: loud}}");
            try (IpcClient client = daemon.connect()) {
                JsonNode error = client.call("config.reload").path("error");
                assertThat(error.path("code").asText()).isEqualTo("usage");
                assertThat(error.path("detail").asText()).contains("reload.yaml:1: repl.log.level: unknown value");
            }
            daemon.await(
                    "the audit log",
                    () -> actions("reload")
                            .equals("daemon.start daemon.config_change daemon.config_change daemon.config_change"));
            assertThat(daemon.term()).isZero();
        }
    }

    @Test
    void oldEntriesOfTheAuditLogAreRemovedByTheClock() {
        String old = "SELECT count(*) FROM steep_repl.audit_log WHERE action = 'test.old'";
        a.execute("INSERT INTO steep_repl.audit_log (occurred_at, action, actor)"
                + " VALUES (now() - interval '3 days', 'test.old', 'x'), (now() - interval '1 hour', 'test.old', 'x')");
        String yaml =
                "  postgresql: {connection: '%s'}\n  audit: {retention: 2d, prune_interval: 1s}".formatted(a.uri());
        try (DaemonProcess daemon =
                new DaemonProcess(folder, "prune", yaml, Map.of()).start().connected()) {
            daemon.await("the old one to go", () -> a.query(old).equals("1"));
            daemon.await("the next time", () -> daemon.timesLogged("entries of the audit log") > 1);
            assertThat(a.query(old)).as("the one of an hour ago stays").isEqualTo("1");
            assertThat(a.query("SELECT count(*) > 0 FROM steep_repl.audit_log WHERE action = 'audit.prune'"))
                    .isEqualTo("t");
        }
    }

    @Test
    void whatCannotBeClosedKeepsNothingElseFromBeingClosed() throws IOException {
        try (DaemonProcess daemon = daemon("untidy").start().connected()) {
            // Nobody can take that away as a file.
            Files.delete(daemon.socket());
            Files.createDirectories(daemon.socket().resolve("inside"));
            assertThat(daemon.term()).isZero();
            assertThat(actions("untidy")).isEqualTo("daemon.start daemon.stop");
        }
    }

    @Test
    void allPartsShareOneTimeLimitAtTheEnd() throws Exception {
        String yaml =
                "  shutdown_timeout: 10s\n  postgresql: {connection: '%s', check_timeout: 500ms}\n  grpc: {insecure: true, bind: 127.0.0.1, port: %d}"
                        .formatted(a.uri(), DaemonProcess.freePort());
        int port = Integer.parseInt(yaml.replaceAll("(?s).*port: (\\d+)}$", "$1"));
        try (DaemonProcess daemon = new DaemonProcess(folder, "slow-end", yaml, Map.of())
                        .start()
                        .connected();
                Connection holder = a.connect();
                Statement statement = holder.createStatement();
                IpcClient client = daemon.connect();
                SteepRepl remote = new RemoteSteepRepl(
                        GrpcTransport.to(new Endpoint("localhost", port), Optional.empty(), Duration.ofMinutes(1)))) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE steep_repl.conflict_log IN ACCESS EXCLUSIVE MODE");
            client.send("{\"id\": 1, \"method\": \"conflicts.stats\"}\n");
            Thread.ofVirtual().start(() -> {
                try {
                    remote.conflicts().stats();
                } catch (ApiException e) {
                    // The daemon ends before it can answer.
                    return;
                }
            });
            daemon.await("both calls", () -> daemon.metric("steep_repl_pool_connections_in_use") == 2);
            Instant told = Instant.now();
            assertThat(daemon.term()).isZero();
            assertThat(Duration.between(told, Instant.now())).isBetween(Duration.ofSeconds(9), Duration.ofSeconds(19));
            holder.rollback();
        }
    }

    @Test
    void anotherNodeThanTheFileSaysIsLeftAlone() {
        try (DaemonProcess daemon = new DaemonProcess(
                        folder,
                        "identity",
                        "  node_id: z\n  postgresql: {connection: '%s'}".formatted(a.uri()),
                        Map.of())
                .start()) {
            daemon.await("the refusal", () -> daemon.logged("the database is node a, and repl.node_id says z"));
            assertThat(daemon.get("/health").statusCode()).isEqualTo(503);
            assertThat(actions("identity")).isEmpty();
        }
    }

    @Test
    void theEnvironmentOverridesTheFile() {
        Map<String, String> variables =
                Map.of("PGPORT", Integer.toString(a.server().port()), "PGDATABASE", "test");
        String yaml = "  postgresql: {host: 127.0.0.1, port: 1, database: none, user: postgres}";
        try (DaemonProcess daemon = new DaemonProcess(folder, "environment", yaml, variables).start()) {
            assertThat(daemon.connected().health().path("node").asText()).isEqualTo("a");
        }
    }
}
