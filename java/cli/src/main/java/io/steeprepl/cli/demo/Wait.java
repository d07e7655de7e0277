package io.steeprepl.cli.demo;

import io.steeprepl.testkit.TestkitException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting for what servers do by themselves. */
final class Wait {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Wait() {}

    /** Until it is so; throws with what {@code otherwise} says when it takes too long. Returns how long it took. */
    static Duration until(BooleanSupplier condition, Supplier<String> otherwise) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (since(begin).compareTo(LIMIT) > 0) {
                throw new TestkitException(otherwise.get());
            }
            pause(Duration.ofMillis(50));
        }
        return since(begin);
    }

    /** The time since a {@link System#nanoTime}. */
    static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }

    /** Does nothing for a while. */
    static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TestkitException("interrupted", e);
        }
    }

    /** For people: seconds with one digit after the point, or milliseconds. */
    static String text(Duration time) {
        return time.toSeconds() < 1 ? time.toMillis() + " ms" : "%.1f s".formatted(time.toMillis() / 1000.0);
    }
}
