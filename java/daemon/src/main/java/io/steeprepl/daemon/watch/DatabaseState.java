package io.steeprepl.daemon.watch;

import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How it stands between the daemon and the database.
 *
 * @param since when that began
 * @param serverVersion of the server as last seen
 * @param error why it is not connected
 */
public record DatabaseState(
        Status status,
        Instant since,
        @Nullable String serverVersion,
        @Nullable String error) {
    /** Whether it can be worked with. */
    public enum Status {
        CONNECTING,
        CONNECTED,
        DISCONNECTED,
        /** There is a server, and nothing may be done with it: too old, or another node than the file says. */
        REFUSED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whether requests can be answered from the database. */
    public boolean connected() {
        return status == Status.CONNECTED;
    }
}
