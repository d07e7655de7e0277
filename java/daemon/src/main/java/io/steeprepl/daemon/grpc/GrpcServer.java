package io.steeprepl.daemon.grpc;

import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.steeprepl.api.ApiException;
import io.steeprepl.daemon.ipc.Answers;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.grpc.TlsFiles;
import io.steeprepl.remote.grpc.v1.CoordinatorGrpc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The port for other nodes and for {@code --remote}. */
public final class GrpcServer implements AutoCloseable {
    private static final Duration HANDSHAKE = Duration.ofSeconds(10);
    private static final Duration LONGEST_CALL = Duration.ofHours(1);

    private final ExecutorService handlers = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("grpc-clock").factory());
    private final EventLoopGroup acceptor = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final EventLoopGroup network = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final HealthStatusManager statuses = new HealthStatusManager();
    private final @Nullable Certificates certificates;
    private final CoordinatorService service;
    private final Server server;

    /**
     * What it needs.
     *
     * @param address where to listen
     * @param tls empty for plaintext, which is for a loopback address only
     * @param members who is let in
     * @param refusals is told of others
     * @param answers answer calls, the first that knows the method
     * @param health says how this daemon is, without waiting
     */
    public record Parts(
            InetSocketAddress address,
            Optional<TlsFiles> tls,
            Members members,
            Refusals refusals,
            List<Answers> answers,
            Supplier<PeerHealth> health) {}

    /** Listens. Throws {@link ApiException.Usage} for certificates, {@link ApiException.Failed} for the port. */
    public GrpcServer(Parts parts) {
        if (parts.address().isUnresolved()) {
            throw new ApiException.Usage(
                    "no such address: " + parts.address().getHostString(),
                    "repl.grpc.bind: an address of this machine");
        }
        if (parts.tls().isEmpty() && !parts.address().getAddress().isLoopbackAddress()) {
            throw new ApiException.Usage(
                    "without certificates only a loopback address is served, not "
                            + parts.address().getHostString(),
                    "steep-repl tls init makes certificates");
        }
        service = new CoordinatorService(parts.answers(), parts.health(), parts.refusals(), LONGEST_CALL, clock);
        certificates = parts.tls().map(Certificates::new).orElse(null);
        var builder = NettyServerBuilder.forAddress(parts.address())
                .bossEventLoopGroup(acceptor)
                .workerEventLoopGroup(network)
                .channelFactory(() -> new WatchedServerChannel(parts.refusals()))
                // Restarting must not wait for connections of the one before.
                .withOption(ChannelOption.SO_REUSEADDR, true)
                .executor(handlers)
                .handshakeTimeout(HANDSHAKE.toSeconds(), TimeUnit.SECONDS)
                .permitKeepAliveTime(10, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addService(service)
                .addService(statuses.getHealthService());
        if (certificates == null) {
            builder.intercept(Guest.ANYBODY);
        } else {
            builder.sslContext(certificates.context()).intercept(new MemberCheck(parts.members(), parts.refusals()));
        }
        server = builder.build();
        try {
            server.start();
        } catch (IOException e) {
            release(Duration.ZERO);
            throw new ApiException.Failed(
                    null,
                    "cannot listen on %s:%d"
                            .formatted(
                                    parts.address().getHostString(),
                                    parts.address().getPort()),
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(),
                    "another program may use the port: ss -ltnp; repl.grpc.port sets another one",
                    e);
        }
        serving(false);
    }

    /** The port on which it listens. */
    public int port() {
        return server.getPort();
    }

    /** How many calls were answered since the start, with a result or an error. */
    public long calls() {
        return service.calls();
    }

    /** What the standard health service says: whether calls can be answered. */
    public void serving(boolean serving) {
        ServingStatus status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
        statuses.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
        statuses.setStatus(CoordinatorGrpc.SERVICE_NAME, status);
    }

    /**
     * Reads the certificates anew; connections stay. When they cannot be used, those before go on to count.
     *
     * @return when the daemon's certificate is valid, empty without TLS
     * @throws ApiException.Usage when they cannot be used
     */
    public Optional<Validity> reload(TlsFiles files) {
        return certificates == null ? Optional.empty() : Optional.of(certificates.load(files));
    }

    /** When the daemon's certificate is valid, empty without TLS. */
    public Optional<Validity> validity() {
        return certificates == null ? Optional.empty() : Optional.of(certificates.validity());
    }

    /** Takes no more calls and lets those that run end for so long. */
    public void close(Duration limit) {
        statuses.enterTerminalState();
        server.shutdown();
        release(limit);
    }

    private void release(Duration limit) {
        try {
            if (!server.awaitTermination(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
                server.awaitTermination(1, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            server.shutdownNow();
        }
        handlers.shutdownNow();
        clock.shutdownNow();
        // Nothing runs on them any more.
        var _ = acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        var _ = network.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }
}
