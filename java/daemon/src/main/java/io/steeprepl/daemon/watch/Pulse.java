package io.steeprepl.daemon.watch;

import io.steeprepl.config.repl.DatabaseSettings;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** When the loop went round last, by a clock that nobody sets. */
final class Pulse {
    private static final Duration LONGEST_FLUSH = Duration.ofSeconds(2);
    /** A machine that is busy is not one that stands still. */
    private static final Duration SLACK = Duration.ofSeconds(5);

    private final Supplier<DatabaseSettings> settings;
    private final LongSupplier nanos;
    private volatile long stepped;
    private volatile long looked;

    /** {@code nanos}: a clock that only goes forward, such as {@link System#nanoTime}. */
    Pulse(Supplier<DatabaseSettings> settings, LongSupplier nanos) {
        this.settings = settings;
        this.nanos = nanos;
        stepped = nanos.getAsLong();
        looked = stepped;
    }

    /** A round begins. */
    void step() {
        stepped = nanos.getAsLong();
    }

    /** A look has ended, however. */
    void looked() {
        looked = nanos.getAsLong();
    }

    Duration sinceStep() {
        return Duration.ofNanos(nanos.getAsLong() - stepped);
    }

    /** How long writing into the audit log may take in one round. */
    static Duration flush(DatabaseSettings database) {
        return database.checkTimeout().compareTo(LONGEST_FLUSH) < 0 ? database.checkTimeout() : LONGEST_FLUSH;
    }

    /** Since when there was no look, when that is longer than all that comes between two of them may take. */
    Optional<Duration> silence() {
        DatabaseSettings database = settings.get();
        Duration longest = flush(database)
                .plus(Deadline.GRACE)
                .plus(database.checkInterval())
                .plus(database.checkTimeout().multipliedBy(2))
                .plus(Deadline.GRACE)
                .plus(SLACK);
        Duration since = Duration.ofNanos(nanos.getAsLong() - looked);
        return since.compareTo(longest) > 0 ? Optional.of(since) : Optional.empty();
    }
}
