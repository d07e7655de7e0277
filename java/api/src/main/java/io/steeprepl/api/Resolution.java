package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * What somebody decides about a conflict.
 *
 * @param side whose row is to stand
 * @param merged for {@link Side#MERGED} the whole row, as a JSON object; else null
 * @param force also when the row has changed since
 * @param reason why, for those who look at it later
 */
public record Resolution(
        Side side,
        @Nullable String merged,
        boolean force,
        @Nullable String reason) {
    /** Whose row: that of this node, that of the other, or another one. */
    public enum Side {
        LOCAL,
        REMOTE,
        MERGED
    }
}
