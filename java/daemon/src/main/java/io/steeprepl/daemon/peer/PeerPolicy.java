package io.steeprepl.daemon.peer;

import io.steeprepl.daemon.peer.PeerView.Standing;
import java.time.Duration;
import java.time.Instant;

/** When a peer counts as lost, and when as back. */
public final class PeerPolicy {
    private PeerPolicy() {}

    /**
     * What follows from a look.
     *
     * @param standing how the peer is taken to be from now on
     * @param changed whether that is new
     * @param reason why, as a sentence
     */
    public record Decision(Standing standing, boolean changed, String reason) {}

    /** {@code threshold}: after how many failures in a row a peer is lost. */
    public static Decision decide(PeerView view, int threshold, Instant now) {
        String who = "%s at %s".formatted(view.nodeId(), view.address());
        if (view.failures() == 0) {
            return view.answeredAt() == null
                    ? new Decision(view.standing(), false, who + " has not been asked yet")
                    : present(view, who, now);
        }
        if (view.standing() == Standing.LOST) {
            return new Decision(
                    Standing.LOST,
                    false,
                    "%s has been lost for %s: %s".formatted(who, span(view.since(), now), view.error()));
        }
        if (view.failures() >= threshold) {
            String before = view.answeredAt() == null
                    ? "it has never answered this daemon"
                    : "it last answered %s ago".formatted(span(view.answeredAt(), now));
            return new Decision(
                    Standing.LOST,
                    true,
                    "%s is lost: %d of %d attempts failed, %s: %s"
                            .formatted(who, view.failures(), threshold, before, view.error()));
        }
        return new Decision(
                view.standing(),
                false,
                "%s is not yet lost: %d of %d attempts failed: %s"
                        .formatted(who, view.failures(), threshold, view.error()));
    }

    private static Decision present(PeerView view, String who, Instant now) {
        return switch (view.standing()) {
            case PRESENT -> new Decision(Standing.PRESENT, false, who + " answers");
            case UNKNOWN -> new Decision(Standing.PRESENT, true, who + " answers");
            case LOST ->
                new Decision(
                        Standing.PRESENT,
                        true,
                        "%s is back: it answers again after %s".formatted(who, span(view.since(), now)));
        };
    }

    private static String span(Instant from, Instant to) {
        Duration time = Duration.between(from, to);
        return time.toMinutes() == 0
                ? time.toSeconds() + " s"
                : "%d min %d s".formatted(time.toMinutes(), time.toSecondsPart());
    }
}
