package io.steeprepl.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Which conflicts are wanted; null means any.
 *
 * @param table without a schema: tables of that name in all schemas
 * @param unprovenOnly only those of which it is not yet known that all nodes agree
 * @param newerThan how old an entry may be
 * @param limit how many at most
 */
public record ConflictFilter(
        @Nullable QualifiedName table,
        @Nullable String kind,
        @Nullable String peer,
        @Nullable String resolution,
        boolean unprovenOnly,
        @Nullable Duration newerThan,
        int limit) {}
