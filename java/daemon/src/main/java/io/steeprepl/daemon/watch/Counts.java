package io.steeprepl.daemon.watch;

import io.steeprepl.api.ConflictCount;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How many conflicts there are in the log.
 *
 * @param at when they were counted, null for never
 * @param seen how many there were since the daemon runs, those that are pruned by now included: it never falls
 */
public record Counts(@Nullable Instant at, List<ConflictCount> conflicts, Map<Counts.Of, Long> seen) {
    static final Counts NONE = new Counts(null, List.of(), Map.of());

    /** What one number is about; {@code peer} is empty where there is none. */
    public record Of(String table, String kind, String peer) {
        static Of of(ConflictCount count) {
            return new Of(
                    count.table().toString(), count.kind(), count.peer() == null ? "" : String.valueOf(count.peer()));
        }
    }

    /** After another count. */
    Counts next(Instant now, List<ConflictCount> counted) {
        Map<Of, Long> before = new LinkedHashMap<>();
        conflicts.forEach(count -> before.merge(Of.of(count), count.total(), Long::sum));
        Map<Of, Long> after = new LinkedHashMap<>();
        counted.forEach(count -> after.merge(Of.of(count), count.total(), Long::sum));
        Map<Of, Long> all = new LinkedHashMap<>(seen);
        // Where there are fewer than before some were pruned; what came meanwhile as well cannot be told.
        after.forEach((of, count) -> all.merge(of, Math.max(0, count - before.getOrDefault(of, 0L)), Long::sum));
        return new Counts(now, counted, Map.copyOf(all));
    }
}
