package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each method of the api gives the same results and errors by the database, by gRPC, and by the socket. */
@ExtendWith(ClusterLogs.class)
class ParityIT {
    private static Cluster cluster;
    private static TestNode a;
    private static Ways ways;

    @BeforeAll
    static void start() throws IOException {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        ParityData.make(cluster);
        ways = new Ways(a);
    }

    @AfterAll
    static void stop() throws IOException {
        ways.close();
        cluster.close();
    }

    static Stream<ParityCase> cases() {
        return ParityCase.all();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void allWaysGiveTheSame(ParityCase one) {
        String direct = outcome(one, Ways.DIRECT);
        assertThat(direct.startsWith("ApiException.")).as(direct).isEqualTo(one.fails());
        assertThat(outcome(one, Ways.GRPC)).as(Ways.GRPC).isEqualTo(direct);
        assertThat(outcome(one, Ways.IPC)).as(Ways.IPC).isEqualTo(direct);
    }

    /** What is chance is tried again. */
    private static String outcome(ParityCase one, String way) {
        return Awaitility.await("an answer to " + one.method())
                .atMost(Duration.ofMinutes(1))
                .until(() -> once(one, way), answer -> !isChance(answer));
    }

    /** A deadlock with the worker; a table that is still leaving the other node. */
    private static boolean isChance(String answer) {
        return answer.startsWith("ApiException.Failed|40P01") || answer.contains("is replicated already on b");
    }

    private static String once(ParityCase one, String way) {
        // A table that was just removed here may still be leaving the other node.
        Awaitility.await("what comes before")
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .until(() -> {
                    a.execute(one.before().toArray(String[]::new));
                    return true;
                });
        try (SteepRepl node = ways.open(way)) {
            return one.mask(String.valueOf(one.call()
                    .on(node, List.of(Ways.DIRECT, Ways.GRPC, Ways.IPC).indexOf(way))));
        } catch (ApiException e) {
            String kind = "ApiException." + e.getClass().getSimpleName();
            return one.mask("%s|%s|%s|%s|%s".formatted(kind, e.sqlState(), e.message(), e.detail(), e.hint()));
        }
    }

    @Test
    void noMethodIsLeftOut() {
        assertThat(cases().map(ParityCase::method).collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(Dispatcher.methods());
    }

    @ParameterizedTest
    @ValueSource(strings = {Ways.DIRECT, Ways.GRPC, Ways.IPC})
    void aCallThatWaitsIsCancelled(String way) throws Exception {
        String waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%remove_table%'"
                        + " AND pid <> pg_backend_pid()";
        try (var holder = a.connect();
                var statement = holder.createStatement();
                SteepRepl node = ways.open(way)) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE plain IN ACCESS EXCLUSIVE MODE");
            var ended = new CompletableFuture<ApiException>();
            Thread.ofVirtual().start(() -> {
                try {
                    node.tables().remove(QualifiedName.parse("plain"));
                    ended.completeExceptionally(new AssertionError("it was not cancelled"));
                } catch (ApiException e) {
                    ended.complete(e);
                }
            });
            ParityData.await(a, waiting, "1");
            node.cancel();
            ApiException error = ended.get(20, TimeUnit.SECONDS);
            assertThat(error).isInstanceOf(ApiException.Cancelled.class).hasMessage("cancelled");
            // In the server, too, although that may take a moment longer.
            ParityData.await(a, waiting, "0");
            holder.rollback();
            // And the line is good for the next call.
            assertThat(node.nodes().self()).isPresent();
        }
    }

    @Test
    void aDatabaseThatIsGoneIsSaidAlike() throws IOException {
        try (Cluster other = Cluster.start(1);
                Ways there = new Ways(other.node(0), Duration.ofSeconds(1))) {
            try (SteepRepl grpc = there.open(Ways.GRPC);
                    SteepRepl ipc = there.open(Ways.IPC)) {
                // The node was seen again between the two, perhaps.
                Awaitility.await()
                        .atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> assertThat(grpc.nodes().list())
                                .isEqualTo(ipc.nodes().list()));
                other.node(0).server().kill9();
                for (SteepRepl node : List.of(grpc, ipc)) {
                    Awaitility.await()
                            .atMost(Duration.ofSeconds(30))
                            .untilAsserted(
                                    () -> assertThatThrownBy(() -> node.nodes().list())
                                            .isInstanceOf(ApiException.CannotConnect.class));
                }
            }
        }
    }
}
