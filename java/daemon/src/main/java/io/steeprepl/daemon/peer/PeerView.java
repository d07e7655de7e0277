package io.steeprepl.daemon.peer;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the daemon of a peer.
 *
 * @param address where it is asked
 * @param standing what was decided last
 * @param since when that was
 * @param failures how often in a row it has not answered, or its database was not there
 * @param answeredAt when it last answered, null for never since this daemon runs
 * @param error why it does not
 */
public record PeerView(
        String nodeId,
        String address,
        Standing standing,
        Instant since,
        int failures,
        @Nullable Instant answeredAt,
        @Nullable String error) {
    /** How a peer is taken to be. */
    public enum Standing {
        /** It has not been asked often enough. */
        UNKNOWN,
        PRESENT,
        LOST
    }

    static PeerView unknown(String nodeId, String address, Instant now) {
        return new PeerView(nodeId, address, Standing.UNKNOWN, now, 0, null, null);
    }

    PeerView answered(Instant now) {
        return new PeerView(nodeId, address, standing, since, 0, now, null);
    }

    PeerView failed(String why) {
        return new PeerView(nodeId, address, standing, since, failures + 1, answeredAt, why);
    }

    PeerView now(Standing next, Instant now) {
        return next == standing ? this : new PeerView(nodeId, address, next, now, failures, answeredAt, error);
    }
}
