package io.steeprepl.daemon.grpc;

import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.peer.PeerPolicy.Decision;
import io.steeprepl.daemon.peer.PeerView;
import io.steeprepl.daemon.peer.PeerView.Standing;
import io.steeprepl.daemon.peer.PeerWatch;
import java.time.Instant;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says what became of a peer's daemon. What the registry makes of it is said, and audited, by those who read the registry. */
record PeerLog(Events events) implements PeerWatch.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(PeerWatch.class);

    @Override
    public void changed(PeerView peer, Decision decision) {
        boolean lost = decision.standing() == Standing.LOST;
        String event = lost ? "peer.lost" : "peer.present";
        (lost ? LOG.atWarn() : LOG.atInfo()).addKeyValue("event", event).log(decision.reason());
        events.tell(new Event(Instant.now(), event, Map.of("node", peer.nodeId(), "reason", decision.reason())));
    }
}
