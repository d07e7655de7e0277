package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * What a node is to be called and how it is reached. What is null gets the server's default.
 *
 * @param priority 0 to 1000, higher is preferred as coordinator
 * @param conninfo how to connect to it where host, port and dbname do not say everything
 */
public record NodeEntry(
        NodeId nodeId,
        @Nullable String nodeName,
        @Nullable String host,
        @Nullable Integer port,
        @Nullable Integer priority,
        @Nullable String dbname,
        @Nullable String conninfo) {}
