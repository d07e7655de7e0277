package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A range of ids of a table.
 *
 * @param nodeId whose it is
 * @param rangeStart the lowest id, null when the node has none now
 * @param status active, exhausted, released, or missing
 * @param currentValue the next id, in the range in which this node's sequence is
 * @param percentUsed 0 to 100; null for those of other nodes that are in use
 * @param idsLeft how many ids are left for this node after its ranges, in the range in which its sequence is
 * @param bypassUntil until when the table takes any id here
 * @param note what else there is to know
 */
public record IdRange(
        String tableSchema,
        String tableName,
        @Nullable String columnName,
        String nodeId,
        @Nullable Long rangeStart,
        @Nullable Long rangeEnd,
        String status,
        @Nullable Long currentValue,
        @Nullable Double percentUsed,
        @Nullable Long idsLeft,
        @Nullable Instant allocatedAt,
        @Nullable Instant bypassUntil,
        @Nullable String note) {

    /** Whether this node's sequence is in it. */
    public boolean current() {
        return currentValue != null;
    }
}
