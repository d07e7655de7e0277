package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a table decides its conflicts.
 *
 * @param priority the node ids of node_priority, the first wins; else empty
 * @param deltaColumns columns whose differences are added up, of last_write_wins and column_merge; else empty
 * @param function what the strategy function asks; else null
 */
public record StrategyOptions(
        String strategy,
        List<String> priority,
        List<String> deltaColumns,
        @Nullable QualifiedName function) {}
