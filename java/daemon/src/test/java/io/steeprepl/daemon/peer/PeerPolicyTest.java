package io.steeprepl.daemon.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.daemon.peer.PeerPolicy.Decision;
import io.steeprepl.daemon.peer.PeerView.Standing;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** When a peer counts as lost, and when as back. */
class PeerPolicyTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private PeerView view = PeerView.unknown("b", "b.example:5433", START);

    private Decision answers(int second) {
        view = view.answered(START.plusSeconds(second));
        return decide(second);
    }

    private Decision fails(int second) {
        view = view.failed("connection refused");
        return decide(second);
    }

    private Decision decide(int second) {
        Decision decision = PeerPolicy.decide(view, 3, START.plusSeconds(second));
        view = view.now(decision.standing(), START.plusSeconds(second));
        return decision;
    }

    @Test
    void aPeerIsLostAfterSoManyFailuresAndBackWithOneAnswer() {
        assertThat(answers(0)).isEqualTo(new Decision(Standing.PRESENT, true, "b at b.example:5433 answers"));
        assertThat(answers(2).changed()).isFalse();
        assertThat(fails(4))
                .isEqualTo(new Decision(
                        Standing.PRESENT,
                        false,
                        "b at b.example:5433 is not yet lost: 1 of 3 attempts failed: connection refused"));
        assertThat(fails(6).changed()).isFalse();
        assertThat(fails(8))
                .isEqualTo(
                        new Decision(
                                Standing.LOST,
                                true,
                                "b at b.example:5433 is lost: 3 of 3 attempts failed, it last answered 6 s ago: connection refused"));
        assertThat(fails(10).changed()).isFalse();
        assertThat(answers(100))
                .isEqualTo(new Decision(
                        Standing.PRESENT, true, "b at b.example:5433 is back: it answers again after 1 min 32 s"));
    }

    @Test
    void aFailureInBetweenDoesNotCount() {
        answers(0);
        fails(2);
        fails(4);
        answers(6);
        fails(8);
        assertThat(fails(10).standing()).isEqualTo(Standing.PRESENT);
    }

    @Test
    void aPeerThatNeverAnsweredIsLostToo() {
        assertThat(decide(0))
                .isEqualTo(new Decision(Standing.UNKNOWN, false, "b at b.example:5433 has not been asked yet"));
        fails(1);
        assertThat(fails(2).standing()).isEqualTo(Standing.UNKNOWN);
        assertThat(fails(3).reason()).contains("is lost", "it has never answered this daemon");
        assertThat(fails(3).reason()).contains("has been lost for 0 s");
    }
}
