package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.watch.View;
import io.steeprepl.daemon.watch.Watch;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.WatcherEvent;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Databases that are there and do not do what they are asked, and several of them behind one name. */
@ExtendWith(ClusterLogs.class)
class WatchIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void start() {
        // Not linked: two databases that have nothing to do with each other.
        cluster = Cluster.start(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static DaemonProcess daemon(String name) {
        String yaml = "  node_id: a\n  postgresql: {connection: '%s', check_interval: 200ms, check_timeout: 4s}"
                .formatted(a.uri());
        return new DaemonProcess(folder, name, yaml, Map.of()).start().connected();
    }

    /** Holds a table against everybody until it is closed. */
    private record Lock(Connection holder) implements AutoCloseable {
        static Lock of(String table) throws SQLException {
            Connection holder = a.connect();
            holder.setAutoCommit(false);
            try (Statement statement = holder.createStatement()) {
                statement.execute("LOCK TABLE steep_repl." + table + " IN ACCESS EXCLUSIVE MODE");
            }
            return new Lock(holder);
        }

        @Override
        public void close() throws SQLException {
            holder.rollback();
            holder.close();
        }
    }

    @Test
    void aLockedAuditLogIsSaidAndNothingElseWaitsForIt() throws SQLException {
        try (DaemonProcess daemon = daemon("audit")) {
            daemon.await("what was at the start", () -> daemon.metric("steep_repl_audit_pending") == 0);
            try (Lock _ = Lock.of("audit_log")) {
                daemon.write("repl: {log: {level: loud}}");
                daemon.signal("HUP");
                daemon.await(
                        "the reason",
                        () -> daemon.health()
                                .path("reasons")
                                .toString()
                                .contains("1 entries for the audit log are kept back"));
                JsonNode before = daemon.health();
                assertThat(before.path("status").asText()).isEqualTo("degraded");
                assertThat(daemon.get("/health").statusCode()).isEqualTo(200);
                daemon.await(
                        "looks that go on",
                        () -> !daemon.health().path("checked_at").equals(before.path("checked_at")));
                assertThat(daemon.call("nodes.list").toString()).contains("\"a\"");
            }
            daemon.await(
                    "what waited", () -> daemon.health().path("status").asText().equals("healthy"));
            assertThat(daemon.metric("steep_repl_audit_pending")).isZero();
            assertThat(daemon.metric("steep_repl_audit_lost_total")).isZero();
            assertThat(daemon.logged("no connection to the database")).isFalse();
        }
    }

    @Test
    void aSlowQueryIsNoDeadDatabase() throws Exception {
        try (DaemonProcess daemon = daemon("slow")) {
            var answer = new CompletableFuture<JsonNode>();
            try (Lock _ = Lock.of("conflict_log")) {
                Thread.ofVirtual().start(() -> {
                    try (IpcClient client = daemon.connect()) {
                        answer.complete(client.call("conflicts.stats"));
                    }
                });
                daemon.await(
                        "the reason",
                        () -> daemon.health().path("reasons").toString().contains("it took longer than 4s"));
                JsonNode health = daemon.health();
                assertThat(health.path("status").asText()).isEqualTo("degraded");
                assertThat(health.path("components")
                                .path("postgresql")
                                .path("state")
                                .asText())
                        .isEqualTo("connected");
                assertThat(daemon.call("nodes.list").toString()).contains("\"a\"");
                daemon.await("older values", () -> daemon.metric("steep_repl_last_look_age_seconds") > 6);
                assertThat(daemon.metric("steep_repl_postgresql_up")).isEqualTo(1);
            }
            // What somebody else had asked for was not cut off.
            assertThat(answer.get(20, TimeUnit.SECONDS).has("result")).isTrue();
            daemon.await(
                    "a good look", () -> daemon.health().path("status").asText().equals("healthy"));
            daemon.await("new values", () -> daemon.metric("steep_repl_last_look_age_seconds") < 3);
            assertThat(daemon.logged("no connection to the database")).isFalse();
        }
    }

    @Test
    void aDatabaseThatDoesNotSayWhichNodeItIsIsLeftAlone() {
        a.execute("CREATE DATABASE bare");
        String yaml = "  node_id: a\n  postgresql: {connection: '%s', check_interval: 200ms}"
                .formatted(a.uri().replace("/test", "/bare"));
        try (DaemonProcess daemon = new DaemonProcess(folder, "bare", yaml, Map.of()).start()) {
            daemon.await("the refusal", () -> daemon.logged("the database does not say which node it is"));
            assertThat(daemon.health()
                            .path("components")
                            .path("postgresql")
                            .path("state")
                            .asText())
                    .isEqualTo("refused");
            try (IpcClient client = daemon.connect()) {
                assertThat(client.call("nodes.create_extension")
                                .path("error")
                                .path("code")
                                .asText())
                        .isEqualTo("cannot_connect");
                assertThat(client.call("nodes.list").path("error").path("code").asText())
                        .isEqualTo("cannot_connect");
            }
        }
    }

    private static ReplSettings settings(String more) {
        return ReplSettings.read(
                Document.read(
                        new ConfigPath(Path.of("test.yaml"), ConfigPath.Source.OPTION),
                        "repl: {%s postgresql: {check_interval: 200ms, check_timeout: 5s, pool_size: 4}}"
                                .formatted(more)),
                new Surroundings(Map.of(), Path.of("/"), "nobody"));
    }

    private static Watch watch(String more, String connection, Events events, AuditTrail audit) {
        ReplSettings settings = settings(more);
        ConnectionSpec spec = ConnectionSpec.resolve(connection, new Surroundings(Map.of(), Path.of("/"), "nobody"));
        return new Watch(() -> settings, () -> spec, events, audit);
    }

    private static View connected(Watch watch) {
        return Awaitility.await().atMost(Duration.ofSeconds(30)).until(watch::view, View::current);
    }

    private static String self(SteepRepl node) {
        return node.nodes().self().map(NodeId::value).orElse("");
    }

    private static String anyOfBoth() {
        return "host=127.0.0.1,127.0.0.1 port=%d,%d dbname=test user=postgres load_balance_hosts=random"
                .formatted(a.server().port(), b.server().port());
    }

    @Test
    void ofSeveralServersAllConnectionsGoToTheOneThatIsWatched() {
        for (int i = 0; i < 4; i++) {
            try (Watch watch = watch("", anyOfBoth(), new Events(), new AuditTrail())) {
                String watched =
                        String.valueOf(Optional.ofNullable(connected(watch).health())
                                .orElseThrow()
                                .nodeId());
                List<SteepRepl> lent = new ArrayList<>();
                Set<String> nodes = new HashSet<>();
                for (int j = 0; j < 4; j++) {
                    lent.add(watch.open());
                    nodes.add(self(lent.getLast()));
                }
                nodes.add(watch.aside().ask(Duration.ofSeconds(5), WatchIT::self));
                assertThat(nodes).containsExactly(watched);
                lent.forEach(SteepRepl::close);
            }
        }
    }

    @Test
    void theDaemonsOwnWorkDoesNotWaitForRequests() {
        try (Watch watch = watch("", a.uri(), new Events(), new AuditTrail())) {
            connected(watch);
            List<SteepRepl> lent = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                lent.add(watch.open());
            }
            assertThat(watch.aside().ask(Duration.ofSeconds(5), WatchIT::self)).isEqualTo("a");
            lent.forEach(SteepRepl::close);
        }
    }

    @Test
    void aLoopThatStandsStillIsUnhealthy() {
        var events = new Events();
        var hold = new CountDownLatch(1);
        try (Watch watch = watch("", a.uri(), events, new AuditTrail())) {
            try {
                connected(watch);
                events.listen(_ -> {
                    try {
                        hold.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
                a.execute("SELECT steep_repl.register_node('new')");
                Awaitility.await()
                        .atMost(Duration.ofSeconds(90))
                        .until(() -> watch.view().status(), "unhealthy"::equals);
                assertThat(watch.view().reasons().toString()).contains("its loop stands still");
                assertThat(watch.view().current()).isFalse();
            } finally {
                hold.countDown();
                a.query("SELECT steep_repl.unregister_node('new')");
            }
            connected(watch);
        }
    }

    @Test
    void anEntryThatTheDatabaseCannotHoldKeepsNoOtherBack() {
        var audit = new AuditTrail();
        audit.add(entry("no address", "first"));
        audit.add(entry("192.0.2.1", "second"));
        try (Watch watch = watch("", a.uri(), new Events(), audit)) {
            connected(watch);
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> audit.pending() == 0);
            assertThat(audit.lost()).isEqualTo(1);
            assertThat(a.query(
                            "SELECT string_agg(target_id, ' ') FROM steep_repl.audit_log WHERE action = 'daemon.test'"))
                    .isEqualTo("second");
        }
    }

    private static WatcherEvent entry(String address, String id) {
        return new WatcherEvent(Instant.now(), "daemon.test", "test", id, null, null, address, null);
    }

    @Test
    void aCallThatIsCancelledBeforeItHasAConnectionIsNotCarriedOut() throws Exception {
        try (Watch watch = watch("", a.uri(), new Events(), new AuditTrail())) {
            connected(watch);
            var waiting = new CountDownLatch(1);
            var free = new CountDownLatch(1);
            var dispatcher = new Dispatcher(() -> {
                waiting.countDown();
                try {
                    free.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return watch.open();
            });
            var ended = new CompletableFuture<JsonNode>();
            var call = Codec.object().put("older_than", "PT24H").put(Dispatcher.CALL_ID, "1");
            Thread.ofVirtual().start(() -> {
                try {
                    ended.complete(dispatcher.call("audit.prune", call));
                } catch (ApiException e) {
                    ended.completeExceptionally(e);
                }
            });
            assertThat(waiting.await(20, TimeUnit.SECONDS)).isTrue();
            dispatcher.call(Dispatcher.CANCEL, Codec.object().put(Dispatcher.CALL_ID, "1"));
            free.countDown();
            assertThatThrownBy(() -> ended.get(20, TimeUnit.SECONDS)).hasCauseInstanceOf(ApiException.Cancelled.class);
            assertThat(a.query("SELECT count(*) FROM steep_repl.audit_log WHERE action = 'audit.prune'"))
                    .isEqualTo("0");
        }
    }

    @Test
    void aCancelBetweenTwoStatementsOfAnOperationHolds() throws SQLException {
        try (Connection connection = a.connect();
                SteepRepl lent = DirectSteepRepl.lent(connection)) {
            assertThat(self(lent)).isEqualTo("a");
            lent.cancel();
            assertThatThrownBy(() -> lent.nodes().list()).isInstanceOf(ApiException.Cancelled.class);
        }
        try (SteepRepl own = DirectSteepRepl.over(a.connect())) {
            own.cancel();
            assertThat(self(own)).isEqualTo("a");
        }
    }
}
