package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of the socket that behave and clients that do not. */
@ExtendWith(ClusterLogs.class)
class IpcIT {
    private static Cluster cluster;
    private static TestNode a;

    @TempDir
    private static Path folder;

    private static DaemonProcess daemon;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        a = cluster.node(0);
        daemon = DaemonProcess.of(folder, "ipc", a.uri()).start().connected();
    }

    @AfterAll
    static void stop() {
        daemon.close();
        cluster.close();
    }

    private static void isServed() {
        assertThat(daemon.call("status.get").path("node").asText()).isEqualTo("a");
    }

    private static String code(IpcClient client) {
        return client.answer().path("error").path("code").asText();
    }

    @Test
    void requestsAreAnsweredInOrderWithTheirIds() {
        try (IpcClient client = daemon.connect()) {
            client.send("{\"id\": 1, \"method\": \"status.get\"}\n{\"id\": \"x\", \"method\": \"nobody.knows\"}\n\n");
            client.send("{\"id\": null, \"method\": \"status.get\", \"params\": {}}\n{\"method\": \"status.get\"}\n");
            JsonNode first = client.answer();
            assertThat(first.path("id").asInt()).isEqualTo(1);
            assertThat(first.has("result")).isTrue();
            JsonNode second = client.answer();
            assertThat(second.path("id").asText()).isEqualTo("x");
            assertThat(second.path("error").path("code").asText()).isEqualTo("unknown_method");
            assertThat(client.answer().has("result")).isTrue();
            assertThat(client.answer().path("id").isNull()).isTrue();
        }
    }

    /** Their names are public: programs call them. What they do, other tests say. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "status.get",
                "health.check",
                "metrics.get",
                "config.reload",
                "events.subscribe",
                "nodes.list",
                "nodes.get",
                "audit.query",
                "subscriptions.list",
                "subscriptions.pause",
                "subscriptions.resume",
                "conflicts.list",
                "conflicts.show",
                "conflicts.stats",
                "conflicts.resolve",
                "conflicts.resolve_all",
                "conflicts.revert"
            })
    void whatProgramsCountOnIsThere(String method) {
        try (IpcClient client = daemon.connect()) {
            JsonNode answer = client.call(method);
            // Without parameters some cannot be done; they are known all the same.
            assertThat(answer.has("result")
                            || answer.path("error").path("code").asText().equals("usage"))
                    .as("%s", answer)
                    .isTrue();
        }
    }

    @Test
    void oneNodeIsAskedForByItsId() {
        try (IpcClient client = daemon.connect()) {
            client.send("{\"id\": 1, \"method\": \"nodes.get\", \"params\": {\"node_id\": \"a\"}}\n");
            JsonNode a = client.answer().path("result");
            assertThat(a.path("node_id").asText()).isEqualTo("a");
            assertThat(a.path("is_self").asBoolean()).isTrue();
            client.send("{\"id\": 2, \"method\": \"nodes.get\", \"params\": {\"node_id\": \"nobody\"}}\n");
            JsonNode error = client.answer().path("error");
            assertThat(error.path("code").asText()).isEqualTo("failed");
            assertThat(error.path("sqlstate").asText()).isEqualTo("SR004");
            assertThat(error.path("message").asText()).contains("node nobody is not known here");
        }
    }

    @Test
    void whatIsNoRequestIsAnsweredAndTheNextOneIsServed() {
        try (IpcClient client = daemon.connect()) {
            for (String line : List.of(
                    "junk",
                    "[1]",
                    "{\"id\": 1}",
                    "{\"method\": 1}",
                    "{\"method\": \"status.get\", \"params\": []}",
                    "null",
                    "\u0000\u0001",
                    "[".repeat(5000))) {
                client.send(line + "\n");
                assertThat(code(client)).as(line).isEqualTo("malformed");
            }
            assertThat(client.call("status.get").has("result")).isTrue();
        }
    }

    @Test
    void anOversizedRequestIsRefusedAndOthersAreServed() {
        try (IpcClient client = daemon.connect()) {
            client.send("{\"id\": 1, \"method\": \"" + "x".repeat(1_100_000));
            assertThat(code(client)).isEqualTo("too_large");
            assertThat(client.line()).isNull();
        }
        isServed();
    }

    @Test
    void moreThanItCanHoldIsRefusedAndItServesOn() {
        a.execute("INSERT INTO steep_repl.audit_log (action, actor, new_value)"
                + " SELECT 'test.large', 'nobody', to_jsonb(repeat('x', 2000)) FROM generate_series(1, 4000)");
        try (IpcClient client = daemon.connect()) {
            client.send("{\"id\": 1, \"method\": \"audit.query\", \"params\": {\"limit\": 10000000}}\n");
            JsonNode many = client.answer().path("error");
            assertThat(many.path("code").asText()).isEqualTo("usage");
            assertThat(many.path("message").asText()).contains("at most 10000 entries", "not 10000000");
            client.send("{\"id\": 2, \"method\": \"audit.query\", \"params\": {\"limit\": 4000}}\n");
            JsonNode large = client.answer().path("error");
            assertThat(large.path("code").asText()).isEqualTo("failed");
            assertThat(large.path("message").asText()).contains("larger than the daemon hands over");
            client.send("{\"id\": 3, \"method\": \"audit.query\", \"params\": {\"limit\": 1000}}\n");
            assertThat(client.answer().path("result")).hasSize(1000);
        }
        isServed();
    }

    @Test
    void theAuditLogSaysWhoseAccountAsked() {
        try (IpcClient client = daemon.connect()) {
            client.send("{\"id\": 1, \"method\": \"nodes.register\", \"params\":"
                    + " {\"node_id\": \"q\", \"node_name\": \"q\", \"host\": \"127.0.0.1\", \"port\": 2}}\n");
            assertThat(client.answer().has("result")).isTrue();
        }
        assertThat(a.query("SELECT actor FROM steep_repl.audit_log WHERE target_id = 'q' ORDER BY id DESC LIMIT 1"))
                .endsWith(" for " + System.getProperty("user.name"));
        a.execute("SELECT steep_repl.unregister_node('q')");
        assertThat(a.query("SELECT actor FROM steep_repl.audit_log WHERE target_id = 'q' ORDER BY id DESC LIMIT 1"))
                .as("what is done without a daemon")
                .doesNotContain(" for ");
    }

    @Test
    void oneThatBeginsALineAndStopsIsEnded() {
        try (IpcClient slow = daemon.connect()) {
            slow.send("{\"id\": 1, ");
            isServed();
            assertThat(slow.line())
                    .as("the connection is closed after ipc.timeout")
                    .isNull();
        }
    }

    @Test
    void oneThatTakesNoAnswersIsEnded() {
        try (IpcClient deaf = daemon.connect()) {
            daemon.await("its end", () -> {
                try {
                    deaf.send("{\"id\": 1, \"method\": \"metrics.get\"}\n".repeat(20));
                    isServed();
                    return false;
                } catch (UncheckedIOException e) {
                    return true;
                }
            });
        }
        isServed();
    }

    @Test
    void thoseThatVanishLeaveNothingBehind() {
        for (int i = 0; i < 100; i++) {
            try (IpcClient client = daemon.connect()) {
                client.send(i % 2 == 0 ? "{\"id\": 1, \"method\": \"metrics.get\"}\n" : "{\"id\": 1, \"me");
            } catch (UncheckedIOException e) {
                // Those before it are not all gone yet: there was no room.
                assertThat(e).hasMessageContaining("pipe");
            }
        }
        daemon.await("all to be gone", () -> daemon.metric("steep_repl_ipc_clients") == 0);
        isServed();
    }

    @Test
    void theCallOfOneThatVanishesIsEnded() throws SQLException {
        String waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%prune_audit_log%'"
                        + " AND pid <> pg_backend_pid()";
        try (Connection holder = a.connect();
                Statement statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE steep_repl.audit_log IN SHARE MODE");
            try (IpcClient client = daemon.connect()) {
                client.send("{\"id\": 1, \"method\": \"audit.prune\", \"params\": {\"older_than\": \"PT1000H\"}}\n");
                daemon.await("the call", () -> a.query(waiting).equals("1"));
            }
            daemon.await("its end", () -> a.query(waiting).equals("0"));
            holder.rollback();
        }
        isServed();
    }

    @Test
    void oneThatOnlyListensStillHasItsAnswer() {
        // Again when the answer takes longer than it is waited for.
        daemon.await("its answer", () -> {
            try (IpcClient client = daemon.connect()) {
                client.send("{\"id\": 1, \"method\": \"nodes.list\"}\n");
                client.end();
                return client.answer().path("result").toString().contains("\"a\"") && client.line() == null;
            }
        });
    }

    @Test
    void tooManyAreToldSoAndTheOthersStay() {
        List<IpcClient> many = new ArrayList<>();
        try {
            IpcClient first = daemon.connect();
            many.add(first);
            assertThat(first.call("status.get").has("result")).isTrue();
            boolean busy = false;
            for (int i = 0; i < 25 && !busy; i++) {
                IpcClient next = daemon.connect();
                many.add(next);
                busy = next.call("status.get")
                        .path("error")
                        .path("code")
                        .asText()
                        .equals("busy");
            }
            assertThat(busy).isTrue();
            assertThat(first.call("status.get").has("result")).isTrue();
        } finally {
            many.forEach(IpcClient::close);
        }
        daemon.await("room again", () -> daemon.call("status.get").has("node"));
    }

    @Test
    void randomBytesHarmNobody() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (IpcClient client = daemon.connect()) {
            for (int i = 0; i < 200; i++) {
                byte[] bytes = new byte[1 + random.nextInt(2000)];
                random.nextBytes(bytes);
                client.send("x" + new String(bytes, StandardCharsets.ISO_8859_1).replace('\n', ' ') + "\n");
                assertThat(code(client)).as("seed %d", seed).isEqualTo("malformed");
            }
        }
        isServed();
    }

    @Test
    void eventsComeToThoseWhoAskForThem() {
        try (IpcClient client = daemon.connect()) {
            assertThat(client.call("events.subscribe").has("result")).isTrue();
            a.execute("SELECT steep_repl.register_node('p', 'p', '127.0.0.1', 1)");
            JsonNode event = client.answer();
            // What another test did a moment ago may come first.
            while (!event.path("data").path("node").asText().equals("p")) {
                event = client.answer();
            }
            assertThat(event.path("id").asInt()).isEqualTo(7);
            assertThat(event.path("event").asText()).isEqualTo("node.status");
            assertThat(event.path("at").asText()).isNotEmpty();
            assertThat(client.call("events.unsubscribe").has("result")).isTrue();
        }
    }
}
