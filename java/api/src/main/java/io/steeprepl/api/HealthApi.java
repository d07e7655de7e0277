package io.steeprepl.api;

/** The health of this node. */
public interface HealthApi {
    /** Everything that the node knows about how it is. Throws {@link ApiException}. */
    Health get();
}
