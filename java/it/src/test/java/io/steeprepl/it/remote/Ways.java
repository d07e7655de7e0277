package io.steeprepl.it.remote;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.grpc.GrpcServer;
import io.steeprepl.daemon.grpc.Members;
import io.steeprepl.daemon.grpc.Refusals;
import io.steeprepl.daemon.ipc.Answers;
import io.steeprepl.daemon.ipc.ApiAnswers;
import io.steeprepl.daemon.ipc.IpcServer;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.direct.pool.Pool;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.remote.RemoteSteepRepl;
import io.steeprepl.remote.grpc.Endpoint;
import io.steeprepl.remote.grpc.GrpcTransport;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.ipc.IpcTransport;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One node reached in three ways: by its database, and over real sockets by gRPC with certificates and by IPC. */
public final class Ways implements AutoCloseable {
    static final String DIRECT = "direct";
    static final String GRPC = "grpc";
    static final String IPC = "ipc";

    private static final Duration LONG = Duration.ofSeconds(90);

    private final ConnectionSpec spec;
    private final Connector connector = new Connector(_ -> Optional.empty(), _ -> {});
    private final Certs certs = new Certs();
    private final Pool pool;
    private final GrpcServer grpc;
    private final IpcServer ipc;
    private final Path socket;

    /** Begins to listen for that node. */
    public Ways(TestNode node) throws IOException {
        this(node, Duration.ofSeconds(10));
    }

    /** The same; {@code wait}: how long a request may wait for a connection to the node. */
    Ways(TestNode node, Duration wait) throws IOException {
        spec = ConnectionSpec.resolve(node.uri(), new Surroundings(Map.of(), Path.of("/"), "nobody"));
        pool = new Pool(spec, connector, 4, wait);
        List<Answers> answers = List.of(new ApiAnswers(new Dispatcher(pool::open)));
        certs.init("a", "client");
        grpc = new GrpcServer(new GrpcServer.Parts(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Optional.of(certs.of("a")),
                new Members(() -> List.of("a"), () -> List.of("client"), List::of),
                new Refusals((_, _) -> {}),
                answers,
                () -> new PeerHealth("a", "test", true, "18", "", Instant.EPOCH)));
        socket = certs.folder().resolve("ipc.sock");
        var settings = new IpcSettings(true, Optional.of(socket), 8, 1 << 20, Duration.ofSeconds(30));
        ipc = new IpcServer(socket, settings, answers, new Events());
    }

    /** Where its socket is. */
    public Path socket() {
        return socket;
    }

    /** The node, in one of the ways. */
    SteepRepl open(String way) {
        return switch (way) {
            case DIRECT -> DirectSteepRepl.connect(spec, connector);
            case GRPC ->
                new RemoteSteepRepl(GrpcTransport.to(
                        new Endpoint("localhost", grpc.port()), Optional.of(certs.of("client")), LONG));
            case IPC -> new RemoteSteepRepl(IpcTransport.connect(socket, LONG));
            default -> throw new IllegalArgumentException(way);
        };
    }

    @Override
    public void close() throws IOException {
        ipc.close();
        grpc.close();
        pool.close();
        certs.close();
    }
}
