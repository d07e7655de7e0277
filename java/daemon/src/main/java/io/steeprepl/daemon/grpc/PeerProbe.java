package io.steeprepl.daemon.grpc;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.daemon.peer.PeerWatch;
import io.steeprepl.remote.grpc.Endpoint;
import io.steeprepl.remote.grpc.GrpcTransport;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.grpc.TlsFiles;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Asks peers over gRPC; a connection is kept for each. */
public final class PeerProbe implements PeerWatch.Probe, AutoCloseable {
    private record Way(String address, Duration timeout, GrpcTransport transport) {}

    private final Supplier<Optional<TlsFiles>> tls;
    private final Supplier<String> self;
    private final Map<String, Way> ways = new ConcurrentHashMap<>();

    /** {@code self} is the id of the node beside this daemon, empty where that is not known. */
    public PeerProbe(Supplier<Optional<TlsFiles>> tls, Supplier<String> self) {
        this.tls = tls;
        this.self = self;
    }

    @Override
    public String ask(Node peer, String address, Duration timeout) {
        String id = peer.nodeId().value();
        try {
            PeerHealth health = way(id, address, timeout).transport().health(self.get());
            if (!health.connected()) {
                return "its daemon answers, and does not reach its database: " + health.error();
            }
            return health.nodeId().equals(id) ? "" : "the daemon there is that of \"%s\"".formatted(health.nodeId());
        } catch (ApiException e) {
            return e.detail() == null ? e.message() : e.message() + ": " + e.detail();
        }
    }

    private Way way(String id, String address, Duration timeout) {
        return ways.compute(id, (_, known) -> {
            if (known != null
                    && known.address().equals(address)
                    && known.timeout().equals(timeout)) {
                return known;
            }
            if (known != null) {
                known.transport().close();
            }
            return new Way(address, timeout, GrpcTransport.to(Endpoint.parse(address), tls.get(), timeout));
        });
    }

    @Override
    public void forget(String nodeId) {
        Way known = ways.remove(nodeId);
        if (known != null) {
            known.transport().close();
        }
    }

    /** Makes connections anew when they are next needed, with the certificates of then. */
    public void renew() {
        ways.keySet().forEach(this::forget);
    }

    @Override
    public void close() {
        renew();
    }
}
