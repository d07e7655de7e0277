package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * A start of this node.
 *
 * @param sourceConninfo how this server reaches the node to copy from
 * @param ownConninfo how the other members reach this server
 * @param method direct, which copies from the source, or snapshot; null leaves to the server
 * @param path the folder on this server of a snapshot of the source that was taken for new nodes
 * @param parallel how many streams load it
 */
public record StartOptions(
        String sourceConninfo,
        String ownConninfo,
        @Nullable String method,
        @Nullable String path,
        @Nullable Integer parallel) {}
