package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the conflict log: two writes of which neither knew the other, and what became of them.
 *
 * @param table where; its schema is never null
 * @param kind UPDATE-UPDATE and so on
 * @param peer from whom the remote write came
 * @param local the write that was here
 * @param remote the write that arrived
 * @param base the row before both, as a JSON object, null where it is not known
 * @param originXid the transaction of the remote write on its node
 * @param key the key of the row, as a JSON object
 * @param tuplesVisible whether the caller may see rows of the table; if not, all tuples, keys, the error and the reason
 *     are null
 */
public record Conflict(
        long id,
        Instant detectedAt,
        String subscription,
        QualifiedName table,
        String kind,
        @Nullable String peer,
        Side local,
        Side remote,
        @Nullable String base,
        @Nullable Long originXid,
        @Nullable Lsn remoteLsn,
        @Nullable String key,
        @Nullable String keyId,
        @Nullable String conflictKey,
        boolean tuplesVisible,
        Decision decision,
        Proof proof) {
    /**
     * One of the two writes.
     *
     * @param tuple the row as it wrote it, as a JSON object; null for a deletion, or where it is not known or hidden
     * @param origin the node that wrote it
     * @param committedAt when it committed there
     */
    public record Side(
            @Nullable String tuple,
            @Nullable String origin,
            @Nullable Instant committedAt) {}

    /**
     * What became of it.
     *
     * @param resolution PENDING, APPLIED_REMOTE, KEPT_LOCAL, MERGED or REVERTED
     * @param winner local or remote
     * @param result the row that stayed, as a JSON object, where it is neither side's
     * @param possible this node could not tell whether the later write had seen the earlier one
     * @param reason why, where a person or a rule has said it
     * @param sqlState of the error that kept the change from being applied
     */
    public record Decision(
            @Nullable String resolution,
            @Nullable Instant resolvedAt,
            @Nullable String resolvedBy,
            @Nullable String strategy,
            @Nullable String winner,
            @Nullable String result,
            boolean possible,
            @Nullable String reason,
            @Nullable String sqlState,
            @Nullable String error) {}

    /**
     * Whether all nodes are known to hold the same row now.
     *
     * @param convergedAt since when; null: not yet
     * @param notConvergedReason why not yet
     * @param attempts how often the nodes were compared
     * @param nextAt when they are compared next
     */
    public record Proof(
            @Nullable Instant convergedAt,
            @Nullable String notConvergedReason,
            int attempts,
            @Nullable Instant nextAt) {}
}
