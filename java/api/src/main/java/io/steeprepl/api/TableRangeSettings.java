package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * How the ids of a replicated table go in ranges.
 *
 * @param columnName the column whose ids can; null when there is none, as with UUIDs
 * @param enabled whether they do
 * @param rangeSize how many ids a range has that this node cuts from now on; null without ranges
 * @param largestSize how many it may have
 * @param threshold percent of a range after whose use this node cuts the next one
 */
public record TableRangeSettings(
        QualifiedName name,
        @Nullable String columnName,
        boolean enabled,
        @Nullable Long rangeSize,
        @Nullable Long largestSize,
        @Nullable Integer threshold) {}
