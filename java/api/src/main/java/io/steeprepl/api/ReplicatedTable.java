package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * A replicated table.
 *
 * @param strategy how conflicts are decided, null for the default
 * @param state ready, joining, copying or failed
 * @param reason why it is not ready
 * @param rowsNotTaken how many rows of peers it could not take over
 */
public record ReplicatedTable(
        String tableSchema,
        String tableName,
        @Nullable String strategy,
        boolean beforeImages,
        String state,
        @Nullable String reason,
        @Nullable Long rowsNotTaken) {}
