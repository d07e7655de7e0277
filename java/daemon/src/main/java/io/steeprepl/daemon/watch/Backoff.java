package io.steeprepl.daemon.watch;

import java.time.Duration;

/** How long to wait before the next attempt: twice as long each time, within bounds, and never quite the same. */
final class Backoff {
    private int failures;

    /**
     * The next wait.
     *
     * @param chance from 0 to 1: where between half and the whole of it
     */
    Duration next(Duration least, Duration most, double chance) {
        long whole = least.toMillis() << Math.min(failures, 20);
        failures++;
        long bounded = Math.min(most.toMillis(), Math.max(whole, least.toMillis()));
        return Duration.ofMillis(Math.max(1, Math.round(bounded * (0.5 + chance / 2))));
    }

    /** It worked: begin anew. */
    void reset() {
        failures = 0;
    }
}
