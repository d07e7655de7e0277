package io.steeprepl.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Streams that are kept for nodes that will be filled from a copy of a source.
 *
 * @param source the node that copies are made of
 * @param state ready, or lost when PostgreSQL has dropped the WAL
 * @param retainedWalBytes how much WAL this node keeps for it
 * @param members the other nodes that keep their streams, on the source
 */
public record Preparation(
        String id,
        String source,
        String state,
        Instant madeAt,
        Instant expiresAt,
        String askedBy,
        String slotName,
        @Nullable Long retainedWalBytes,
        List<String> members) {}
