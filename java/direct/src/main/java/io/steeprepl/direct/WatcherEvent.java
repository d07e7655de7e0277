package io.steeprepl.direct;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a program that watches a node has done or seen.
 *
 * @param action begins with {@code daemon.}
 * @param newValue a JSON document
 * @param clientIp of whom it is about, when that is not this program
 * @param error why it did not succeed; null when it did
 */
public record WatcherEvent(
        Instant at,
        String action,
        @Nullable String targetType,
        @Nullable String targetId,
        @Nullable String oldValue,
        @Nullable String newValue,
        @Nullable String clientIp,
        @Nullable String error) {}
