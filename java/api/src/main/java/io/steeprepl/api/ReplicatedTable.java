package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A replicated table.
 *
 * @param strategy how conflicts are decided, null for the default
 * @param state ready, joining, copying or failed
 * @param reason why it is not ready
 * @param rowsNotTaken how many rows of peers it could not take over
 * @param priority the node ids of the strategy node_priority, the first wins
 * @param deltaColumns columns whose differences are added up
 * @param resolver the function of the strategy function, null for the others
 */
public record ReplicatedTable(
        String tableSchema,
        String tableName,
        @Nullable String strategy,
        boolean beforeImages,
        String state,
        @Nullable String reason,
        @Nullable Long rowsNotTaken,
        List<String> priority,
        List<String> deltaColumns,
        @Nullable String resolver) {}
