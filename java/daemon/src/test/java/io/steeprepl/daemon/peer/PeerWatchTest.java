package io.steeprepl.daemon.peer;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.api.NodeId;
import io.steeprepl.daemon.peer.PeerView.Standing;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The watch goes on whatever goes wrong in it, and says what. */
class PeerWatchTest {
    private static final List<Node> NODES = List.of(node("b"), node("c"));

    private final Logger logger = (Logger) LoggerFactory.getLogger(PeerWatch.class);
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();
    private final AtomicInteger rounds = new AtomicInteger();
    private PeerWatch.Registry registry = _ -> {};

    private static Node node(String id) {
        return new Node(new NodeId(id), id, id + ".example", 5432, "d", 1, false, false, null, "online");
    }

    @BeforeEach
    void listen() {
        said.start();
        // The program's logging is silent until it is begun.
        logger.setLevel(Level.INFO);
        logger.addAppender(said);
    }

    @AfterEach
    void stop() {
        logger.detachAppender(said);
        logger.setLevel(null);
    }

    private List<Node> nodes() {
        if (rounds.incrementAndGet() == 1) {
            throw new IllegalStateException("nobody has thought of this");
        }
        return NODES;
    }

    private PeerWatch watch(PeerWatch.Probe probe, Duration interval) {
        return new PeerWatch(
                () -> new PeerWatch.Settings(interval, Duration.ofSeconds(1), 2, Map.of(), 1),
                this::nodes,
                what -> registry.tell(what),
                probe,
                (_, _) -> {},
                Clock.systemUTC());
    }

    private static final class Probe implements PeerWatch.Probe {
        private final CountDownLatch asked = new CountDownLatch(6);

        @Override
        public String ask(Node peer, String address, Duration timeout) {
            asked.countDown();
            if (peer.nodeId().value().equals("b")) {
                throw new DateTimeException("an answer that makes no sense");
            }
            return "";
        }

        @Override
        public void forget(String nodeId) {}
    }

    @Test
    void anUnexpectedFailureEndsNeitherTheWatchNorTheLook() throws InterruptedException {
        var probe = new Probe();
        try (PeerWatch watch = watch(probe, Duration.ofMillis(10))) {
            watch.start();
            assertThat(probe.asked.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(said.list).first().asString().contains("a round of peers");
        }
    }

    @Test
    void anAnswerThatMakesNoSenseIsNoSignOfLife() {
        rounds.set(1);
        try (PeerWatch watch = watch(new Probe(), Duration.ofHours(1))) {
            watch.round();
            watch.round();
            Map<String, Standing> standing = watch.peers().stream()
                    .collect(java.util.stream.Collectors.toMap(PeerView::nodeId, PeerView::standing));
            assertThat(standing).isEqualTo(Map.of("b", Standing.LOST, "c", Standing.PRESENT));
        }
    }

    @Test
    void thatTheRegistryCannotBeToldIsSaidOnce() {
        rounds.set(1);
        try (PeerWatch watch = watch(new Probe(), Duration.ofHours(1))) {
            registry = _ -> {
                throw new ApiException.TimedOut("55P03", "the registry is locked", null, null, null);
            };
            watch.round();
            watch.round();
            assertThat(warnings())
                    .containsExactly("the registry was not told how the peers are: the registry is locked");
            registry = _ -> {};
            watch.round();
            registry = _ -> {
                throw new ApiException.TimedOut("55P03", "the registry is locked", null, null, null);
            };
            watch.round();
            assertThat(warnings()).hasSize(2);
        }
    }

    private List<String> warnings() {
        return said.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(line -> line.startsWith("the registry"))
                .toList();
    }
}
