package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How many conflicts of one kind there were in one table with one peer.
 *
 * @param perMinute in the last five minutes
 * @param unproven how many of which it is not yet known that all nodes agree
 * @param possible how many that may not have been conflicts
 * @param counters what PostgreSQL itself counted on the stream of that peer, null when there is none
 */
public record ConflictCount(
        String kind,
        QualifiedName table,
        @Nullable String peer,
        long total,
        long lastHour,
        long lastDay,
        double perMinute,
        long pending,
        long unproven,
        long possible,
        Instant lastAt,
        @Nullable NativeCounters counters) {
    /** The columns confl_… and apply_error_count of pg_stat_subscription_stats. */
    public record NativeCounters(
            long insertExists,
            long updateExists,
            long updateOriginDiffers,
            long updateMissing,
            long deleteOriginDiffers,
            long deleteMissing,
            long multipleUnique,
            long applyErrors) {}
}
