package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * A table here and on a peer.
 *
 * @param localFingerprint null when it is not here
 * @param remoteFingerprint null when the peer does not have it
 * @param status MATCH, MISMATCH, LOCAL_ONLY or REMOTE_ONLY
 */
public record TableComparison(
        String tableSchema,
        String tableName,
        @Nullable String localFingerprint,
        @Nullable String remoteFingerprint,
        String status) {

    /** Whether both sides have the same. */
    public boolean matches() {
        return status.equals("MATCH");
    }
}
