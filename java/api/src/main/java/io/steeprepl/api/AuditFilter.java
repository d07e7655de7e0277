package io.steeprepl.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Which entries of the audit log are wanted; null means any.
 *
 * @param newerThan how old an entry may be
 * @param limit how many at most
 */
public record AuditFilter(
        @Nullable String action,
        @Nullable String actor,
        @Nullable Duration newerThan,
        boolean failedOnly,
        int limit) {}
