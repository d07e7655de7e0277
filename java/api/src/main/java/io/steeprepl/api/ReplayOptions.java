package io.steeprepl.api;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which conflicts are replayed, and how; null means any.
 *
 * @param table without a schema: tables of that name in all schemas
 * @param newerThan how old an entry may be
 * @param olderThan how old it must be
 * @param priority the nodes of node_priority, the first wins
 */
public record ReplayOptions(
        String strategy,
        @Nullable QualifiedName table,
        @Nullable Duration newerThan,
        @Nullable Duration olderThan,
        List<String> priority) {}
