package io.steeprepl.daemon.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackoffTest {
    private static final Duration LEAST = Duration.ofMillis(500);
    private static final Duration MOST = Duration.ofSeconds(10);

    private static List<Long> waits(double chance, int count) {
        var backoff = new Backoff();
        List<Long> waits = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            waits.add(backoff.next(LEAST, MOST, chance).toMillis());
        }
        return waits;
    }

    @Test
    void eachWaitIsTwiceTheOneBeforeUpToTheBound() {
        assertThat(waits(1, 7)).containsExactly(500L, 1000L, 2000L, 4000L, 8000L, 10_000L, 10_000L);
        assertThat(waits(0, 7)).containsExactly(250L, 500L, 1000L, 2000L, 4000L, 5000L, 5000L);
        assertThat(waits(1, 10_000)).allMatch(wait -> wait <= 10_000);
    }

    @Test
    void successBeginsAnew() {
        var backoff = new Backoff();
        backoff.next(LEAST, MOST, 1);
        backoff.next(LEAST, MOST, 1);
        backoff.reset();
        assertThat(backoff.next(LEAST, MOST, 1)).isEqualTo(LEAST);
    }
}
