package io.steeprepl.remote;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import org.jspecify.annotations.Nullable;

/** Whether a call is to end, from before it has a node until it has given that back. */
final class Cancelling {
    private @Nullable SteepRepl node;
    private boolean cancelled;

    /** Any thread may say so, at any time. */
    void cancel() {
        SteepRepl lent;
        synchronized (this) {
            cancelled = true;
            lent = node;
        }
        if (lent != null) {
            lent.cancel();
        }
    }

    /** The call has its node now. Throws {@link ApiException.Cancelled} when it is not to begin any more. */
    synchronized void begin(SteepRepl lent) {
        if (cancelled) {
            throw new ApiException.Cancelled("cancelled", null);
        }
        node = lent;
    }

    /** The node is somebody else's from now on. */
    synchronized void end() {
        node = null;
    }
}
