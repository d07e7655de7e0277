package io.steeprepl.daemon;

import org.jspecify.annotations.Nullable;

/**
 * How a part of the daemon is.
 *
 * @param status healthy, unhealthy or disabled
 * @param reason why it is not healthy, or where it listens
 */
public record ComponentState(String status, @Nullable String reason) {
    /** It serves, there. */
    public static ComponentState serving(String where) {
        return new ComponentState("healthy", where);
    }

    /** It does not do what it is for. */
    public static ComponentState unhealthy(String why) {
        return new ComponentState("unhealthy", why);
    }

    /** The configuration does not want it. */
    public static ComponentState disabled() {
        return new ComponentState("disabled", null);
    }
}
