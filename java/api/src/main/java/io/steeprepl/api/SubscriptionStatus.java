package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The link on which this node receives from a peer.
 *
 * @param state requested, linking, copying, streaming, paused, waiting, failed or removing
 * @param lagBytes how much of the peer's log is not applied here, null when unknown
 * @param lagSeconds how old the newest applied change is compared with the peer's newest, null when unknown
 * @param lastError why it does not go on, null once it does
 * @param blockedBy the process id of the session that holds what the link waits for
 * @param retainedWalBytes how much log the peer keeps for this link
 * @param tablesPending how many tables are not yet ready
 */
public record SubscriptionStatus(
        String peer,
        String state,
        @Nullable Long lagBytes,
        @Nullable Double lagSeconds,
        @Nullable String lastError,
        @Nullable Instant lastErrorAt,
        @Nullable Integer blockedBy,
        @Nullable String slotName,
        @Nullable Long retainedWalBytes,
        @Nullable Lsn receivedLsn,
        @Nullable Instant lastMessageAt,
        int tablesPending) {}
