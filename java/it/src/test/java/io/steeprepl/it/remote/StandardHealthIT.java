package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.steeprepl.it.daemon.DaemonProcess;
import io.steeprepl.remote.grpc.TlsFiles;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The health service that gRPC's own tools ask, grpc.health.v1, on the port for other nodes. */
@ExtendWith(ClusterLogs.class)
class StandardHealthIT {
    private static Cluster cluster;
    private static TestNode a;
    private static Certs certs;
    private static NodeDaemon daemon;

    @BeforeAll
    static void start() throws IOException {
        cluster = Cluster.start(1);
        a = cluster.node(0);
        certs = new Certs();
        certs.init("a", "admin", "stranger");
        daemon = NodeDaemon.begin(a, DaemonProcess.freePort(), Map.of(), certs);
        daemon.process().connected();
    }

    @AfterAll
    static void stop() throws IOException {
        daemon.process().close();
        cluster.close();
        certs.close();
    }

    private static ServingStatus ask(TlsChannelCredentials.Builder credentials, String service) {
        ManagedChannel channel =
                Grpc.newChannelBuilder(daemon.remote(), credentials.build()).build();
        try {
            return HealthGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .check(HealthCheckRequest.newBuilder().setService(service).build())
                    .getStatus();
        } finally {
            channel.shutdownNow();
        }
    }

    private static TlsChannelCredentials.Builder with(String name) throws IOException {
        TlsFiles files = certs.of(name);
        return TlsChannelCredentials.newBuilder()
                .trustManager(files.ca().toFile())
                .keyManager(files.certificate().toFile(), files.key().toFile());
    }

    private static void await(ServingStatus status) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> ask(with("admin"), ""), status::equals);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "steep.repl.v1.Coordinator"})
    void whoeverIsLetInIsTold(String service) throws IOException {
        await(ServingStatus.SERVING);
        assertThat(ask(with("admin"), service)).isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void callsThatCannotBeAnsweredForLackOfADatabaseAreNotServed() {
        await(ServingStatus.SERVING);
        a.server().kill9();
        try {
            await(ServingStatus.NOT_SERVING);
        } finally {
            a.server().start();
        }
        await(ServingStatus.SERVING);
    }

    @Test
    void strangersAreRefused() {
        assertThatThrownBy(() -> ask(with("stranger"), ""))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED));
        assertThatThrownBy(() -> ask(
                        TlsChannelCredentials.newBuilder()
                                .trustManager(certs.of("a").ca().toFile()),
                        ""))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
    }
}
