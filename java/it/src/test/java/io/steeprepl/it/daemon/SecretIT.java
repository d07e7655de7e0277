package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A password gets to the server and nowhere else. */
@ExtendWith(ClusterLogs.class)
class SecretIT {
    private static final String CANARY = "Canary-7Zq";

    private static Cluster cluster;
    private static TestNode a;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() throws IOException {
        cluster = Cluster.start(1);
        a = cluster.node(0);
        a.execute("CREATE ROLE guard LOGIN PASSWORD '" + CANARY + "' IN ROLE steep_repl_admin");
        Path rules = a.server().dataDir().resolve("pg_hba.conf");
        Files.writeString(rules, "host all guard 127.0.0.1/32 scram-sha-256\n" + Files.readString(rules));
        a.execute("SELECT pg_reload_conf()");
        // The server hears of it a moment later.
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThatThrownBy(() -> DriverManager.getConnection(
                                "jdbc:postgresql://127.0.0.1:%d/test?user=guard&password=wrong"
                                        .formatted(a.server().port())))
                        .isInstanceOf(SQLException.class));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private DaemonProcess daemon(String name, String more, Map<String, String> environment) {
        String yaml =
                "  log: {level: debug}\n  postgresql: {host: 127.0.0.1, port: %d, database: test, user: guard, reconnect_max: 1s%s}"
                        .formatted(a.server().port(), more);
        return new DaemonProcess(folder, name, yaml, environment);
    }

    private static void nothingToldIn(DaemonProcess daemon) throws IOException {
        Path arguments = Path.of("/proc/%d/cmdline".formatted(daemon.process().pid()));
        String title = Files.exists(arguments) ? Files.readString(arguments) : "";
        assertThat(title
                        + daemon.logText()
                        + daemon.get("/health").body()
                        + daemon.get("/metrics").body()
                        + daemon.call("status.get")
                        + daemon.call("health.check"))
                .doesNotContain(CANARY);
        assertThat(a.query("SELECT count(*) FROM steep_repl.audit_log l WHERE l::text LIKE '%" + CANARY + "%'"))
                .isEqualTo("0");
    }

    @Test
    void aCommandGivesIt() throws IOException {
        try (DaemonProcess daemon = daemon("command", ", password_command: 'echo %s'".formatted(CANARY), Map.of())
                .start()
                .connected()) {
            nothingToldIn(daemon);
            assertThat(daemon.term()).isZero();
            assertThat(daemon.logText()).doesNotContain(CANARY);
        }
    }

    @Test
    void theFileOrTheEnvironmentGivesIt() throws IOException {
        try (DaemonProcess file = daemon("file", ", password: '%s'".formatted(CANARY), Map.of())
                        .start()
                        .connected();
                DaemonProcess environment = daemon("environment", "", Map.of("PGPASSWORD", CANARY))
                        .start()
                        .connected()) {
            nothingToldIn(file);
            nothingToldIn(environment);
        }
    }

    @Test
    void aWrongOneIsTriedAgainAndNotTold() throws IOException {
        try (DaemonProcess daemon = daemon("mistaken", ", password_command: 'echo %s-no'".formatted(CANARY), Map.of())
                .start()) {
            daemon.await("the refusal", () -> daemon.logged("password authentication failed"));
            daemon.await(
                    "the audit log of later",
                    () -> daemon.call("status.get").path("audit_pending").asInt() >= 2);
            nothingToldIn(daemon);
        }
    }

    @Test
    void whatACommandSaysOnStandardErrorIsToldAndItsOutputIsNot() throws IOException {
        String failing = ", password_command: 'echo %s; echo the vault is sealed >&2; exit 3'".formatted(CANARY);
        String hanging = ", password_timeout: 200ms, password_command: 'echo %s; sleep 60'".formatted(CANARY);
        try (DaemonProcess sealed = daemon("failing", failing, Map.of()).start();
                DaemonProcess slow = daemon("hanging", hanging, Map.of()).start()) {
            sealed.await("the reason", () -> sealed.logged("password_command ended with 3: the vault is sealed"));
            slow.await("the limit", () -> slow.logged("password_command did not end within 200ms"));
            nothingToldIn(sealed);
            nothingToldIn(slow);
        }
    }
}
