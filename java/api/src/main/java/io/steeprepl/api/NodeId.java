package io.steeprepl.api;

import java.util.Objects;

/** The name of a node, unique among all that are linked. */
public record NodeId(String value) {
    /** Refuses an empty id; the server checks the rest. */
    public NodeId {
        Objects.requireNonNull(value);
        if (value.isEmpty()) {
            throw new ApiException.Usage("a node id cannot be empty", null);
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
