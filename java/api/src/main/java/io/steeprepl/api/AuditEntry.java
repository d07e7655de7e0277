package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One entry of the audit log.
 *
 * @param actor who did it, as role@host
 * @param oldValue what was there before, as JSON
 * @param newValue what is there now, as JSON
 */
public record AuditEntry(
        long id,
        Instant occurredAt,
        String action,
        String actor,
        @Nullable String targetType,
        @Nullable String targetId,
        @Nullable String oldValue,
        @Nullable String newValue,
        @Nullable String clientIp,
        boolean success,
        @Nullable String errorMessage) {}
