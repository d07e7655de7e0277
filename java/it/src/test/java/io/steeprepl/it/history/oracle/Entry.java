package io.steeprepl.it.history.oracle;

import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A line of a node's conflict_log.
 *
 * @param identity conflict_key
 * @param key the key that it is about, null when it does not say
 * @param base the write in base_tuple, null when there is no such tuple or it has no write_id
 * @param strategy that decided
 * @param winner local, remote or null
 * @param proven whether converged_at is set
 * @param reason why it is not proven
 */
public record Entry(
        String node,
        long id,
        String identity,
        String table,
        String type,
        @Nullable Integer key,
        Side local,
        Side remote,
        @Nullable Long base,
        String strategy,
        @Nullable String winner,
        @Nullable String resolution,
        boolean possible,
        boolean proven,
        @Nullable String reason) {
    /**
     * One of the two tuples.
     *
     * @param text as jsonb, null for a deletion
     * @param write its write_id
     */
    public record Side(@Nullable Long write, @Nullable String text) {
        boolean isDeletion() {
            return text == null;
        }
    }

    /** The sides that lost: one, or both where the entry does not decide. */
    Stream<Side> losers() {
        return Stream.of("remote".equals(winner) ? null : remote, "local".equals(winner) ? null : local)
                .filter(Objects::nonNull);
    }

    /** The sides that lost; a key change spans two keys, so that either side may have lost something. */
    Stream<Side> mentioned() {
        return type.equals("KEY-UPDATE") ? Stream.of(local, remote) : losers();
    }

    boolean isPending() {
        return "PENDING".equals(resolution);
    }
}
