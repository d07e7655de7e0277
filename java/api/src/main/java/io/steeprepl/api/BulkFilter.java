package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Which pending conflicts are to be resolved at once; null means any.
 *
 * @param originXid the transaction of the remote write, on its node
 * @param table without a schema: tables of that name in all schemas
 * @param since logged then or later
 * @param until logged then or earlier
 * @param origin the node of the remote write
 */
public record BulkFilter(
        @Nullable Long originXid,
        @Nullable QualifiedName table,
        @Nullable Instant since,
        @Nullable Instant until,
        @Nullable String origin) {}
