package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.cli.Main;
import io.steeprepl.it.daemon.DaemonProcess;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two daemons on one machine, each beside its node, and the command line that asks them. */
@ExtendWith(ClusterLogs.class)
class DaemonsIT {
    private static final String UP = "steep_repl_peer_daemon_up{node=\"b\"}";
    private static final String STATUS_OF_B = "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'";

    private static Cluster cluster;
    private static Certs certs;
    private static TestNode a;
    private static TestNode b;
    private static NodeDaemon atA;
    private static NodeDaemon atB;

    private record Ended(int code, String out, String err) {}

    @BeforeAll
    static void start() throws IOException {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        ParityData.make(cluster);
        certs = new Certs();
        certs.init("a", "b", "admin", "stranger");
        int portA = DaemonProcess.freePort();
        int portB = DaemonProcess.freePort();
        atA = NodeDaemon.begin(a, portA, Map.of("b", portB), certs);
        atB = NodeDaemon.begin(b, portB, Map.of("a", portA), certs);
        awaitBoth();
    }

    @AfterAll
    static void stop() throws Exception {
        for (NodeDaemon daemon : List.of(atA, atB)) {
            assertThat(daemon.process().term()).isZero();
            daemon.process().close();
        }
        cluster.close();
        certs.close();
    }

    @AfterEach
    void both() {
        awaitBoth();
    }

    /** Each has heard of the other from the other itself. */
    private static void awaitBoth() {
        for (NodeDaemon daemon : List.of(atA, atB)) {
            Awaitility.await("the daemons to talk")
                    .atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(200))
                    .untilAsserted(() -> assertThat(daemon.log().stream().filter(line -> line.contains("peer.")))
                            .as(String.join("\n", daemon.log()))
                            .last()
                            .asString()
                            .contains("peer.present"));
        }
        ParityData.await(a, STATUS_OF_B, "online");
    }

    private static Ended run(String... args) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
        return new Ended(code, out.toString(), err.toString());
    }

    private static Ended direct(TestNode node, String... command) {
        return run(with(List.of("--direct", "-c", node.uri()), command));
    }

    private static Ended remote(NodeDaemon daemon, String... command) {
        return run(with(
                List.of(
                        "--remote",
                        daemon.remote(),
                        "--certs",
                        certs.folder().resolve("admin").toString()),
                command));
    }

    private static String[] with(List<String> options, String... command) {
        var line = new ArrayList<>(options);
        line.addAll(List.of(command));
        return line.toArray(String[]::new);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "version",
                "node status b",
                "conflict list",
                "conflict stats",
                "conflict strategy",
                "table list",
                "range status",
                "audit list --limit 3",
                "config check --file-only",
                "conflict show 999999",
                "subscription pause nobody",
                "node create other",
                "table remove no.such",
                "conflict list --table a..b"
            })
    void theCommandsGiveTheSameEitherWay(String command) {
        String[] words = (command + " -o json").split(" ", -1);
        // Again when something changes between the three, such as a proof.
        Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            Ended direct = stable(direct(a, words));
            assertThat(stable(remote(atA, words))).isEqualTo(direct);
            assertThat(stable(
                            run(with(List.of("--remote", atA.process().socket().toString()), words))))
                    .isEqualTo(direct);
        });
    }

    /** Without what changes from second to second. */
    private static Ended stable(Ended ended) {
        return new Ended(
                ended.code(),
                ended.out().replaceAll("\"(last_seen|per_minute|unproven|next_at)\":[^,}]*", ""),
                ended.err());
    }

    @Test
    void healthSaysHowTheNodeBehindADaemonIs() {
        Ended health = remote(atB, "health", "-o", "json");
        assertThat(health.code()).as(health.err()).isZero();
        assertThat(health.out()).contains("\"node_id\": \"b\"");
    }

    @Test
    void statusIsThatOfTheDaemonThatIsNamed() {
        Ended status = remote(atB, "status");
        assertThat(status.code()).as(status.err()).isZero();
        assertThat(status.out())
                .startsWith("Daemon:     running, process "
                        + atB.process().process().pid() + ",")
                .contains("Node:       b, ", "Peer:       a, ");
        assertThat(run(with(List.of("--remote", atA.process().socket().toString()), "status"))
                        .out())
                .contains("Node:       a, ")
                .doesNotContain("Service:");
        assertThat(run(with(List.of("--remote", "localhost:1", "--certs", certs.folder() + "/admin"), "status"))
                        .code())
                .isEqualTo(6);
    }

    @Test
    void aDaemonThatIsKilledIsNoticedAndComesBack() throws Exception {
        long lost = Long.parseLong(a.query(audited("daemon.peer_lost")));
        long back = Long.parseLong(a.query(audited("daemon.peer_back")));
        long said = timesLost();
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> atA.process().metric(UP) == 1);
        atB.process().signal("KILL");
        atB.process().ended();
        ParityData.await(a, STATUS_OF_B, "unavailable");
        ParityData.await(a, audited("daemon.peer_lost"), String.valueOf(lost + 1));
        String reason = "node b is unavailable: its daemon does not answer";
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(atA.process().get("/health").body())
                        .contains(reason)
                        .contains("\"status\":\"degraded\""));
        assertThat(atA.process().metric(UP)).isZero();
        assertThat(remote(atB, "health").code()).isEqualTo(6);
        assertThat(timesLost()).as("said once").isEqualTo(said + 1);
        atB.process().begin();
        ParityData.await(a, STATUS_OF_B, "online");
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .untilAsserted(
                        () -> assertThat(atA.process().get("/health").body()).doesNotContain("is unavailable"));
        assertThat(said("b at localhost")).last().asString().contains("is back");
        assertThat(atA.process().metric(UP)).isEqualTo(1);
        ParityData.await(a, audited("daemon.peer_back"), String.valueOf(back + 1));
    }

    private static long timesLost() {
        return said("b at localhost").stream()
                .filter(line -> line.contains("is lost"))
                .count();
    }

    private static String audited(String action) {
        return "SELECT count(*) FROM steep_repl.audit_log WHERE action = '%s' AND target_id = 'b'".formatted(action);
    }

    private static List<String> said(String text) {
        return atA.log().stream().filter(line -> line.contains(text)).toList();
    }

    @Test
    void aDatabaseThatIsKilledIsNoticedByTheOtherDaemon() {
        b.server().kill9();
        try {
            ParityData.await(a, STATUS_OF_B, "unavailable");
            Ended health = remote(atB, "health");
            assertThat(health.code()).as(health.err()).isEqualTo(6);
        } finally {
            b.server().start();
        }
        ParityData.await(a, STATUS_OF_B, "online");
    }

    @Test
    void newCertificatesAreNoticed() {
        certs.init("b", "--force");
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(
                        () -> assertThat(atB.log()).anyMatch(line -> line.contains("read the certificates again")));
        assertThat(remote(atB, "node", "list").code()).isZero();
    }

    @Test
    void strangersAreRefusedAndAudited() {
        Path stranger = certs.folder().resolve("stranger");
        Ended refused = run("--remote", atA.remote(), "--certs", stranger.toString(), "node", "list");
        assertThat(refused.code()).isEqualTo(6);
        assertThat(refused.err()).contains("refuses this certificate").contains("stranger");
        ParityData.await(
                a,
                "SELECT DISTINCT host(client_ip) || ' ' || success FROM steep_repl.audit_log"
                        + " WHERE action = 'daemon.connection_refused' AND error_message LIKE '%stranger%'",
                "127.0.0.1 false");
        assertThat(run("--remote", atA.remote(), "--insecure", "node", "list").code())
                .isEqualTo(6);
    }

    @Test
    void aNodesCertificateIsForReading() {
        List<String> asB = List.of(
                "--remote", atA.remote(), "--certs", certs.folder().resolve("b").toString());
        assertThat(run(with(asB, "node", "list")).code()).isZero();
        Ended refused = run(with(asB, "subscription", "pause", "b"));
        assertThat(refused.code()).as(refused.err()).isEqualTo(1);
        assertThat(refused.err())
                .contains("refuses this call", "certificate of b", "subscriptions.pause", "repl.grpc.allow");
        ParityData.await(
                a,
                "SELECT DISTINCT host(client_ip) || ' ' || success FROM steep_repl.audit_log"
                        + " WHERE action = 'daemon.connection_refused' AND error_message LIKE '%certificate of b%subscriptions.pause%'",
                "127.0.0.1 false");
        assertThat(a.query("SELECT state FROM steep_repl.subscription_status() WHERE peer = 'b'"))
                .isEqualTo("streaming");
    }

    @Test
    void thisMachinesDaemonIsAskedWhereTheDatabaseCannotBe() {
        String config = atA.process().config().toString();
        // Nobody listens where libpq would look; the socket is named in the file.
        Ended list = run("--config", config, "node", "list", "-o", "json");
        assertThat(list.code()).as(list.err()).isZero();
        assertThat(list.err()).contains("the daemon of node a answers instead");
        assertThat(stable(list).out())
                .isEqualTo(stable(direct(a, "node", "list", "-o", "json")).out());
        // Who says which, means that one.
        assertThat(run("--config", config, "--direct", "node", "list").code()).isEqualTo(6);
        assertThat(run("--config", config, "-c", "postgresql://127.0.0.1:1/x", "node", "list")
                        .code())
                .isEqualTo(6);
        assertThat(run("--remote", "localhost:1", "-c", "postgresql://127.0.0.1:1/x", "node", "list")
                        .code())
                .isEqualTo(2);
    }
}
