package io.steeprepl.daemon.ipc;

import com.fasterxml.jackson.databind.JsonNode;

/** Knows what to say to some methods. Called by many threads at once. */
public interface Answers {
    /** Whether there is such a method here; its name is noun.verb. */
    boolean knows(String method);

    /** Whether that method, which is known here, changes nothing. */
    boolean reads(String method);

    /**
     * The result.
     *
     * @param params an object, empty when the request has none
     * @throws io.steeprepl.api.ApiException when it cannot be done; that becomes the error of the answer
     */
    JsonNode answer(String method, JsonNode params);
}
