package io.steeprepl.daemon.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.WatcherEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What becomes of entries that the database does not take. */
class AuditTrailTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    private final AuditTrail trail = new AuditTrail();
    private final List<String> written = new ArrayList<>();
    private @Nullable RuntimeException answer;

    private static WatcherEvent event(String id, String error) {
        return new WatcherEvent(Instant.EPOCH, "daemon.start", "daemon", id, null, null, null, error);
    }

    private static RuntimeException refusal(String state) {
        return new ApiException.Failed(state, "refused with " + state, null, null, null);
    }

    private void write(WatcherEvent event) {
        String id = String.valueOf(event.targetId());
        if (id.startsWith("bad")) {
            throw refusal(id.substring(3));
        }
        if (answer != null) {
            throw answer;
        }
        written.add(id);
    }

    @Test
    void anEntryThatCanNeverBeWrittenIsGivenUpAndThoseBehindItAreNot() {
        for (String id : List.of("1", "bad22021", "bad23505", "2")) {
            trail.add(event(id, "x"));
        }
        trail.flush(this::write, LONG);
        assertThat(written).containsExactly("1", "2");
        assertThat(trail.lost()).isEqualTo(2);
        assertThat(trail.written()).isEqualTo(2);
        assertThat(trail.pending()).isZero();
        assertThat(trail.problem()).isEmpty();
    }

    @Test
    void whatMayStillComeIsWaitedForAndSaid() {
        trail.add(event("1", "x"));
        trail.add(event("2", "x"));
        for (RuntimeException reason : List.of(
                refusal("42501"),
                new ApiException.TimedOut("55P03", "it is locked", null, null, null),
                new ApiException.Cancelled("it took too long", null))) {
            answer = reason;
            trail.flush(this::write, LONG);
            assertThat(trail.pending()).isEqualTo(2);
            assertThat(trail.problem())
                    .get()
                    .asString()
                    .startsWith("2 entries for the audit log are kept back since ")
                    .contains(reason instanceof ApiException.Cancelled ? "in time" : reason.getMessage());
        }
        answer = null;
        trail.flush(this::write, LONG);
        assertThat(written).containsExactly("1", "2");
        assertThat(trail.problem()).isEmpty();
        assertThat(trail.lost()).isZero();
    }

    @Test
    void aLostConnectionIsTheCallersAndLosesNothing() {
        trail.add(event("1", "x"));
        answer = new ApiException.CannotConnect(null, "gone", null, null, null);
        assertThatThrownBy(() -> trail.flush(this::write, LONG)).isSameAs(answer);
        assertThat(trail.pending()).isEqualTo(1);
    }

    @Test
    void whatWaitsIsBoundedBySizeAndByNumber() {
        for (int i = 0; i < 10_500; i++) {
            trail.add(event("few", "x"));
        }
        assertThat(trail.pending()).isEqualTo(10_000);
        assertThat(trail.lost()).isEqualTo(500);
        var large = new AuditTrail();
        for (int i = 0; i < 3000; i++) {
            large.add(new WatcherEvent(
                    Instant.EPOCH, "daemon.x", "x", "y", null, "\"" + "z".repeat(30_000) + "\"", null, null));
        }
        assertThat(large.pending()).isBetween(50, 100);
        assertThat(large.lost() + large.pending()).isEqualTo(3000);
    }

    @Test
    void textsAreCutAndFreedOfWhatNoDatabaseTakes() {
        trail.add(event("a\u0000b\ud800", "c".repeat(100_000)));
        List<WatcherEvent> taken = new ArrayList<>();
        trail.flush(taken::add, LONG);
        assertThat(taken.getFirst().targetId()).isEqualTo("a?b?");
        assertThat(taken.getFirst().error()).hasSizeLessThan(2100);
    }

    @Test
    void writingEndsWhenItsTimeIsOver() {
        for (int i = 0; i < 1000; i++) {
            trail.add(event("" + i, "x"));
        }
        trail.flush(this::write, Duration.ZERO);
        assertThat(trail.pending()).isGreaterThan(900);
    }
}
