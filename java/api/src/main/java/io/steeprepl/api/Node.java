package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A node as the registry knows it.
 *
 * @param isSelf whether it is the node that was asked
 * @param lastSeen when it was last known to be up, null for never
 * @param status unknown, online, unavailable or removed
 */
public record Node(
        NodeId nodeId,
        String nodeName,
        String host,
        int port,
        String dbname,
        int priority,
        boolean isCoordinator,
        boolean isSelf,
        @Nullable Instant lastSeen,
        String status) {}
