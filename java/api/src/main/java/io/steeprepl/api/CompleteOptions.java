package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * What a server that was restored from a physical backup of a node becomes. What is null is left to the server.
 *
 * @param nodeId its own node id
 * @param sourceConninfo how this server reaches the node that it is a copy of
 * @param ownConninfo how the members reach this server
 * @param name its name, else the node id
 * @param host its address in the registry
 * @param port its port in the registry
 * @param priority its priority
 * @param preparation under which the backup was made, else the latest in the copy
 */
public record CompleteOptions(
        NodeId nodeId,
        String sourceConninfo,
        String ownConninfo,
        @Nullable String name,
        @Nullable String host,
        @Nullable Integer port,
        @Nullable Integer priority,
        @Nullable String preparation) {}
