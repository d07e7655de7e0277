package io.steeprepl.remote.grpc;

import java.time.Instant;

/**
 * How a daemon says it is.
 *
 * @param nodeId of the node beside it, empty where it does not know
 * @param version the daemon's
 * @param connected whether it reaches its database
 * @param serverVersion the database's, empty where it has not been reached
 * @param error why it is not connected, else empty
 * @param startedAt since when it runs
 */
public record PeerHealth(
        String nodeId, String version, boolean connected, String serverVersion, String error, Instant startedAt) {}
