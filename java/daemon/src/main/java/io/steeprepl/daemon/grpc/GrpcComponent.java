package io.steeprepl.daemon.grpc;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Health;
import io.steeprepl.api.Node;
import io.steeprepl.api.Version;
import io.steeprepl.config.repl.GrpcSettings;
import io.steeprepl.config.repl.PeerSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.Component;
import io.steeprepl.daemon.ComponentState;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.http.Metrics;
import io.steeprepl.daemon.ipc.Answers;
import io.steeprepl.daemon.peer.PeerView;
import io.steeprepl.daemon.peer.PeerView.Standing;
import io.steeprepl.daemon.peer.PeerWatch;
import io.steeprepl.daemon.watch.View;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.grpc.TlsFiles;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon's part that speaks gRPC: the server, the watch over peers, and the certificates of both. */
public final class GrpcComponent implements Component {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcServer.class);

    private final Supplier<ReplSettings> settings;
    private final Supplier<View> view;
    private final Instant started = Instant.now();
    private final GrpcSettings grpc;
    private final Refusals refusals;
    private final GrpcServer server;
    private final PeerProbe probe;
    private final PeerWatch peers;
    private final CertificateFiles files;
    private final CertificateHealth certificate;

    /**
     * What it works with.
     *
     * @param settings as they are now
     * @param view what was last seen of the database
     * @param registry is told how peers are
     * @param answers answer calls
     */
    public record Parts(
            Supplier<ReplSettings> settings,
            Supplier<View> view,
            PeerWatch.Registry registry,
            List<Answers> answers,
            Events events,
            AuditTrail audit) {}

    /** Serves from now on. Throws {@link ApiException} when the port is taken or certificates cannot be used. */
    public GrpcComponent(Parts parts) {
        settings = parts.settings();
        view = parts.view();
        grpc = settings.get().grpc();
        refusals = new Refusals(new RefusalLog(parts.events(), parts.audit(), Clock.systemUTC()));
        server = new GrpcServer(new GrpcServer.Parts(
                new InetSocketAddress(grpc.bind(), grpc.port()),
                tls(),
                new Members(
                        this::members,
                        () -> settings.get().grpc().allow(),
                        () -> settings.get().grpc().allowReading()),
                refusals,
                parts.answers(),
                this::health));
        probe = new PeerProbe(this::tls, this::self);
        peers = new PeerWatch(
                this::peerSettings,
                this::nodes,
                parts.registry(),
                probe,
                new PeerLog(parts.events()),
                Clock.systemUTC());
        certificate = new CertificateHealth(server::validity);
        certificate.say(Instant.now());
        files = new CertificateFiles(tls(), this::reload);
        // After each change of it; the first may have been before.
        parts.events().listen(_ -> serving());
        serving();
        peers.start();
        if (tls().isEmpty()) {
            LOG.warn(
                    "repl.grpc.insecure: every account of this machine may read through {}:{} what the daemon may read",
                    grpc.bind(),
                    server.port());
        }
        LOG.info("listening on {}:{} for other nodes", grpc.bind(), server.port());
    }

    /** Asked for in each round of peers: a moment to say whether calls can be answered, also when no event does. */
    private List<Node> nodes() {
        serving();
        certificate.say(Instant.now());
        return view.get().nodes();
    }

    private void serving() {
        server.serving(view.get().database().connected());
    }

    private Optional<TlsFiles> tls() {
        return grpc.tls().map(files -> new TlsFiles(files.authority(), files.certificate(), files.key()));
    }

    private PeerWatch.Settings peerSettings() {
        PeerSettings now = settings.get().peers();
        return new PeerWatch.Settings(now.interval(), now.timeout(), now.threshold(), now.addresses(), grpc.port());
    }

    private List<String> members() {
        return view.get().nodes().stream()
                .filter(node -> !node.status().equals("removed"))
                .map(node -> node.nodeId().value())
                .toList();
    }

    private String self() {
        return view.get().nodes().stream()
                .filter(Node::isSelf)
                .map(node -> node.nodeId().value())
                .findFirst()
                .orElse("");
    }

    private PeerHealth health() {
        View now = view.get();
        boolean connected = now.database().connected();
        Health known = now.health();
        String id = known == null || known.nodeId() == null ? self() : known.nodeId();
        return new PeerHealth(
                id,
                Version.CURRENT,
                connected,
                Objects.requireNonNullElse(now.database().serverVersion(), ""),
                connected ? "" : String.join("; ", now.reasons()),
                started);
    }

    /** Reads the certificates anew; connections stay. Says in the log when they cannot be used. */
    @Override
    public void reload() {
        tls().ifPresent(now -> {
            try {
                server.reload(now)
                        .ifPresent(dates ->
                                LOG.info("read the certificates again; the daemon's is valid until {}", dates.until()));
                certificate.read();
                probe.renew();
            } catch (ApiException.Usage e) {
                LOG.error(
                        "the certificates were not read again, those before still count: {}: {}",
                        e.message(),
                        e.detail());
                certificate.refused(e.message());
            }
        });
    }

    /** Adds what a monitor counts. */
    public void measure(Metrics metrics) {
        server.validity()
                .ifPresent(_ -> metrics.gauge(
                        "steep_repl_certificate_expiry_timestamp_seconds",
                        "When the daemon's certificate expires, in seconds since 1970.",
                        () -> server.validity().orElseThrow().until().getEpochSecond()));
        metrics.counter("steep_repl_grpc_refused_total", "Connections and calls that were refused.", refusals::count);
        metrics.counter("steep_repl_grpc_calls_total", "Calls that were answered.", server::calls);
        metrics.perNode(
                "steep_repl_peer_daemon_up",
                "Whether the daemon of a peer answers this one.",
                () -> peers.peers().stream()
                        .filter(peer -> peer.standing() != Standing.UNKNOWN)
                        .collect(Collectors.toMap(
                                PeerView::nodeId, peer -> peer.standing() == Standing.PRESENT ? 1 : 0)));
    }

    /** How the daemons of peers are. */
    public List<PeerView> peers() {
        return peers.peers();
    }

    @Override
    public String name() {
        return "grpc";
    }

    @Override
    public ComponentState state() {
        return certificate
                .problem(Instant.now())
                .map(ComponentState::unhealthy)
                .orElseGet(() -> ComponentState.serving("%s:%d".formatted(grpc.bind(), server.port())));
    }

    @Override
    public Optional<String> warning() {
        return certificate.warning(Instant.now());
    }

    @Override
    public void close(Duration limit) {
        files.close();
        peers.close();
        try {
            server.close(limit);
        } finally {
            probe.close();
        }
    }

    @Override
    public void close() {
        close(Duration.ofSeconds(2));
    }
}
