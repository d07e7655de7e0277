package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The links on which this node receives from peers. All methods throw {@link ApiException}. */
public interface SubscriptionApi {
    /** The state of every link. */
    List<SubscriptionStatus> list();

    /**
     * Asks for a link from a peer; the server's worker makes it soon after.
     *
     * @param peer a node id or a conninfo string
     * @param conninfo how this server reaches the peer, null for the address in the registry
     * @param copyData whether rows that the peer has now are copied first
     */
    void add(String peer, @Nullable String conninfo, boolean copyData);

    /** Ends a link; the server's worker takes it down soon after. */
    void remove(String peer);

    /** Stops receiving from a peer and returns when that has stopped. */
    void pause(String peer);

    /** Receives again from a peer that was paused. */
    void resume(String peer);
}
