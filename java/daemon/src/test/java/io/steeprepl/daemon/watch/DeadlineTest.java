package io.steeprepl.daemon.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Work that takes too long is cancelled first, and its connection given up only when that does not help. */
class DeadlineTest {
    private static final Duration SHORT = Duration.ofMillis(50);

    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicInteger aborts = new AtomicInteger();

    private String untilCancelled() {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new ApiException.Cancelled("cancelled", null);
    }

    private void abort() {
        aborts.incrementAndGet();
        end.countDown();
    }

    @Test
    void whatEndsWhenItIsCancelledIsLate() {
        assertThatThrownBy(() -> Deadline.within(SHORT, this::untilCancelled, end::countDown, this::abort))
                .isInstanceOf(ApiException.TimedOut.class)
                .hasMessageContaining("longer than 50ms");
        assertThat(aborts).hasValue(0);
    }

    @Test
    void whatDoesNotIsGivenUp() {
        assertThatThrownBy(() -> Deadline.within(SHORT, this::untilCancelled, () -> {}, this::abort))
                .isInstanceOf(ApiException.CannotConnect.class);
        assertThat(aborts).hasValue(1);
    }

    @Test
    void whatHasItsResultKeepsIt() {
        assertThat(Deadline.within(Duration.ofMinutes(1), () -> "done", this::abort, this::abort))
                .isEqualTo("done");
        assertThatThrownBy(() -> Deadline.within(
                        Duration.ofMinutes(1),
                        () -> {
                            throw new ApiException.Usage("wrong", "right");
                        },
                        this::abort,
                        this::abort))
                .isInstanceOf(ApiException.Usage.class);
        assertThat(aborts).hasValue(0);
    }
}
