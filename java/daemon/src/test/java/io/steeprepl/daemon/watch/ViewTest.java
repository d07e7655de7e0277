package io.steeprepl.daemon.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.Health;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told when the last look did not see all. */
class ViewTest {
    private static final Instant THEN = Instant.EPOCH;
    private static final Instant NOW = THEN.plusSeconds(60);
    private static final DatabaseState CONNECTED = new DatabaseState(DatabaseState.Status.CONNECTED, THEN, "18", null);
    private static final View GOOD = new View(
            THEN,
            THEN,
            CONNECTED,
            new Health("healthy", List.of(), "1", "a", List.of(), "{}"),
            List.of(),
            List.of(),
            Counts.NONE,
            null);

    @Test
    void aLookThatWasSeenIsCurrent() {
        assertThat(GOOD.current()).isTrue();
        assertThat(GOOD.status()).isEqualTo("healthy");
        assertThat(GOOD.reasons()).isEmpty();
    }

    @Test
    void anAttemptThatFailsMakesOldValuesNoYounger() {
        View gone = GOOD.in(NOW, new DatabaseState(DatabaseState.Status.DISCONNECTED, NOW, "18", "gone"));
        assertThat(gone.at()).isEqualTo(NOW);
        assertThat(gone.seen()).isEqualTo(THEN);
        assertThat(gone.current()).isFalse();
        assertThat(gone.status()).isEqualTo("unhealthy");
        assertThat(gone.reasons()).containsExactly("gone");
    }

    @Test
    void aNodeThatIsSlowToSayHowItIsIsDegradedAndThere() {
        View late = GOOD.in(NOW, CONNECTED).late("it took longer than 5s", NOW);
        assertThat(late.database().connected()).isTrue();
        assertThat(late.current()).isFalse();
        assertThat(late.status()).isEqualTo("degraded");
        assertThat(late.reasons())
                .containsExactly(
                        "the node does not say how it is, as it was said at " + THEN + ": it took longer than 5s");
        View never = View.nothing(THEN).in(NOW, CONNECTED).late("it took longer than 5s", NOW);
        assertThat(never.status()).isEqualTo("unhealthy");
    }

    @Test
    void aDatabaseThatRefusesToSayItIsUnhealthy() {
        View refused = GOOD.refused("no right", NOW);
        assertThat(refused.status()).isEqualTo("unhealthy");
        assertThat(refused.reasons()).containsExactly("no right");
    }

    @Test
    void theNextGoodLookForgetsTheProblem() {
        assertThat(GOOD.late("slow", NOW).in(NOW, CONNECTED).current()).isTrue();
    }
}
