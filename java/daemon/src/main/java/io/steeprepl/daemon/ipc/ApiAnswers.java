package io.steeprepl.daemon.ipc;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.remote.Dispatcher;

/** The operations of the api on the daemon's node. */
public record ApiAnswers(Dispatcher dispatcher) implements Answers {
    @Override
    public boolean knows(String method) {
        return Dispatcher.knows(method);
    }

    @Override
    public boolean reads(String method) {
        return Dispatcher.reads(method);
    }

    @Override
    public JsonNode answer(String method, JsonNode params) {
        return dispatcher.call(method, params);
    }
}
