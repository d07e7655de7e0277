package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts conflicts beside the looks: that reads the whole log of them, and says nothing about whether the server is there. */
final class ConflictCounts {
    private static final Logger LOG = LoggerFactory.getLogger(ConflictCounts.class);
    private static final Duration LONGEST = Duration.ofMinutes(10);
    /** So many looks for one count. */
    private static final int LOOKS = 5;
    /** And so much rest for the time that a count takes. */
    private static final int REST = 9;

    private final Aside aside;
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile Counts last = Counts.NONE;
    private volatile long due = System.nanoTime();
    private @Nullable String failure;

    ConflictCounts(Aside aside) {
        this.aside = aside;
    }

    /** What was counted last. */
    Counts last() {
        return last;
    }

    /** Counts beside the caller, when it is time and nobody does. */
    void whenDue(Duration interval) {
        if (System.nanoTime() - due >= 0 && running.compareAndSet(false, true)) {
            Thread.ofVirtual().name("count").start(() -> count(interval));
        }
    }

    private void count(Duration interval) {
        long begun = System.nanoTime();
        Instant now = Instant.now();
        try {
            last = last.next(now, aside.ask(LONGEST, node -> node.conflicts().stats()));
            failure = null;
        } catch (ApiException e) {
            if (!aside.ended() && !e.message().equals(failure)) {
                failure = e.message();
                LOG.warn("the conflicts were not counted: {}", e.message());
            }
        } catch (RuntimeException e) {
            LOG.error("counting the conflicts failed", e);
        } finally {
            long took = System.nanoTime() - begun;
            due = System.nanoTime() + Math.max(interval.multipliedBy(LOOKS).toNanos(), REST * took);
            running.set(false);
        }
    }
}
