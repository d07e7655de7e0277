package io.steeprepl.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** A way to a daemon. One call at a time; {@link #cancel()} is for any thread. */
public interface Transport extends AutoCloseable {
    /** Asks and waits for the answer. Throws the other side's {@link io.steeprepl.api.ApiException}, or one of its own. */
    JsonNode call(String method, ObjectNode params);

    /** Ends the call that runs now, if any, on both sides. */
    void cancel();

    @Override
    void close();
}
