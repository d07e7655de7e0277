package io.steeprepl.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The ranges of ids that nodes hand out, each its own. All methods throw {@link ApiException}. */
public interface RangeApi {
    /** Every range that this node knows of, its own and those of the others. */
    List<IdRange> list();

    /** How the ids of each replicated table go in ranges, on this node. */
    List<TableRangeSettings> settings();

    /**
     * Gives this node its next ids of a table.
     *
     * @param size how many ids
     * @return one range, or several where blocks of ids end
     */
    List<Allocated> allocate(QualifiedName table, long size);

    /**
     * Ends the use of a range of this node for good.
     *
     * @param start where it begins
     * @return false when it had been released before
     */
    boolean release(QualifiedName table, long start);

    /**
     * Lets any id into a table on this node for a time.
     *
     * @return until when
     */
    Instant enableBypass(QualifiedName table, Duration duration, String reason);

    /** Ends that; how many rows of others' ranges were written meanwhile, null when there was no bypass. */
    @Nullable
    Long disableBypass(QualifiedName table);

    /** Sets ranges up or takes them away, on all nodes, and sets this node's sizes; null leaves as it is. */
    void set(QualifiedName table, RangeOptions options);

    /** Ids that this node now has. */
    record Allocated(long rangeStart, long rangeEnd) {}

    /**
     * How ids of a table go in ranges.
     *
     * @param enabled whether they do, on all nodes
     * @param size how many ids a range of this node has from now on
     * @param threshold percent of a range after whose use this node cuts the next one
     */
    record RangeOptions(
            @Nullable Boolean enabled,
            @Nullable Long size,
            @Nullable Integer threshold) {}
}
