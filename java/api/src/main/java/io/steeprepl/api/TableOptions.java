package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * How a table is replicated.
 *
 * @param strategy how conflicts are decided, null for the server's default
 * @param beforeImages whether updates and deletes carry the whole old row
 * @param existing what to do where several nodes hold rows: {@code refuse}, or {@code identical} when they are to be
 *     proven equal
 * @param identityRanges whether ids of its key that come from a sequence go in ranges of each node, null for the
 *     server's default
 */
public record TableOptions(
        @Nullable String strategy,
        boolean beforeImages,
        String existing,
        @Nullable Boolean identityRanges) {}
