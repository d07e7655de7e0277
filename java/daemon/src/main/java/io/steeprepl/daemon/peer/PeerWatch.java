package io.steeprepl.daemon.peer;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.daemon.peer.PeerPolicy.Decision;
import io.steeprepl.daemon.peer.PeerView.Standing;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the daemons of all peers how they are, again and again, and notes in the registry what follows. */
public final class PeerWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerWatch.class);
    private static final String UNKNOWN_NODE = "SR004";
    /** How often the registry is told what has not changed. */
    private static final Duration REPEAT = Duration.ofSeconds(10);
    /** How long the registry believes that a peer is lost. */
    private static final Duration VALID = Duration.ofMinutes(1);

    /** Asks one peer. */
    public interface Probe {
        /** Why it counts as not there, empty when it answers as it should. Takes no longer than the timeout. */
        String ask(Node peer, String address, Duration timeout);

        /** Nobody will ask that peer any more. */
        void forget(String nodeId);
    }

    /** Does something with the node, on a connection that nobody else holds up. */
    @FunctionalInterface
    public interface Registry {
        /** Throws {@link ApiException}. */
        void tell(Consumer<SteepRepl> what);
    }

    /** Is told of changes, each once. */
    @FunctionalInterface
    public interface Listener {
        /** A peer was found, was lost, or is back. Must not wait. */
        void changed(PeerView peer, Decision decision);
    }

    /** What the configuration says now. */
    public record Settings(
            Duration interval, Duration timeout, int threshold, Map<String, String> addresses, int port) {
        String address(Node peer) {
            String host = peer.host().contains(":") ? "[" + peer.host() + "]" : peer.host();
            return addresses.getOrDefault(peer.nodeId().value(), host + ":" + port);
        }
    }

    private final Supplier<Settings> settings;
    private final Supplier<List<Node>> nodes;
    private final Registry registry;
    private final Probe probe;
    private final Listener listener;
    private final Clock clock;
    private final Map<String, PeerView> peers = new ConcurrentHashMap<>();
    private final Map<String, Instant> told = new ConcurrentHashMap<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile Instant beat = Instant.EPOCH;
    private @Nullable String failure;

    /**
     * A watch that has not begun.
     *
     * @param nodes the registry as last seen, this node included
     * @param registry is told how they are
     */
    public PeerWatch(
            Supplier<Settings> settings,
            Supplier<List<Node>> nodes,
            Registry registry,
            Probe probe,
            Listener listener,
            Clock clock) {
        this.settings = settings;
        this.nodes = nodes;
        this.registry = registry;
        this.probe = probe;
        this.listener = listener;
        this.clock = clock;
    }

    /** Begins, on a thread of its own. */
    public void start() {
        Thread.ofVirtual().name("peer-watch").start(() -> {
            do {
                guarded("a round of peers", this::round);
            } while (!ended(settings.get().interval()));
        });
    }

    /** One failure that nobody has thought of must not end the watch for good. */
    private static void guarded(String what, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.error("{} failed", what, e);
        }
    }

    private boolean ended(Duration wait) {
        try {
            return end.await(wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** How all peers are taken to be. */
    public List<PeerView> peers() {
        return List.copyOf(peers.values());
    }

    /** Asks all peers once, side by side, and waits for the answers. */
    void round() {
        Settings now = settings.get();
        List<Node> asked = nodes.get().stream()
                .filter(node -> !node.isSelf() && !node.status().equals("removed"))
                .toList();
        forgetOthers(asked);
        List<Thread> asking = new ArrayList<>();
        for (Node peer : asked) {
            asking.add(Thread.ofVirtual()
                    .name("peer-" + peer.nodeId())
                    .start(() -> guarded("looking at a peer", () -> look(peer, now))));
        }
        try {
            for (Thread thread : asking) {
                thread.join(now.timeout().plusSeconds(5));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        note();
    }

    private void forgetOthers(List<Node> asked) {
        for (String known : List.copyOf(peers.keySet())) {
            if (asked.stream().noneMatch(node -> node.nodeId().value().equals(known))) {
                peers.remove(known);
                told.remove(known);
                probe.forget(known);
            }
        }
    }

    private void look(Node peer, Settings now) {
        String id = peer.nodeId().value();
        String address = now.address(peer);
        PeerView before = peers.get(id);
        if (before == null || !before.address().equals(address)) {
            before = PeerView.unknown(id, address, clock.instant());
        }
        String problem = problem(peer, address, now);
        PeerView seen = problem.isEmpty() ? before.answered(clock.instant()) : before.failed(problem);
        Decision decision = PeerPolicy.decide(seen, now.threshold(), clock.instant());
        PeerView after = seen.now(decision.standing(), clock.instant());
        peers.put(id, after);
        if (decision.changed()) {
            told.remove(id);
            listener.changed(after, decision);
        }
    }

    private String problem(Node peer, String address, Settings now) {
        try {
            return probe.ask(peer, address, now.timeout());
        } catch (RuntimeException e) {
            // Such as an answer that makes no sense: it is no sign of life.
            LOG.debug("asking a peer failed", e);
            return "asking it failed: " + e;
        }
    }

    /** Tells the registry; what it cannot be told now is told in the next round. */
    private void note() {
        Instant now = clock.instant();
        List<PeerView> due = peers.values().stream()
                .filter(peer -> worthTelling(peer)
                        && told.getOrDefault(peer.nodeId(), Instant.EPOCH).isBefore(now.minus(REPEAT)))
                .toList();
        boolean beatDue = beat.isBefore(now.minus(REPEAT));
        if (due.isEmpty() && !beatDue) {
            return;
        }
        try {
            registry.tell(node -> note(node, due, beatDue, now));
            failure = null;
        } catch (ApiException e) {
            // Meanwhile the registry may call a peer online that is lost: it believes nothing for long.
            if (!e.message().equals(failure)) {
                failure = e.message();
                LOG.warn("the registry was not told how the peers are: {}", e.message());
            }
        }
    }

    private void note(SteepRepl node, List<PeerView> due, boolean beatDue, Instant now) {
        if (beatDue && node.nodes().heartbeat().isPresent()) {
            beat = now;
        }
        for (PeerView peer : due) {
            try {
                node.nodes().observe(new NodeId(peer.nodeId()), peer.standing() == Standing.PRESENT, VALID);
                told.put(peer.nodeId(), now);
            } catch (ApiException.Failed e) {
                // Such as one that was taken out meanwhile; the others are told all the same.
                LOG.debug("the registry was not told of {}: {}", peer.nodeId(), e.message());
                if (!UNKNOWN_NODE.equals(e.sqlState())) {
                    throw e;
                }
            }
        }
    }

    /** Where a peer has no daemon, what the extension's worker sees of its database is all there is. */
    private static boolean worthTelling(PeerView peer) {
        return switch (peer.standing()) {
            case UNKNOWN -> false;
            case PRESENT -> true;
            case LOST -> peer.answeredAt() != null;
        };
    }

    @Override
    public void close() {
        end.countDown();
    }
}
