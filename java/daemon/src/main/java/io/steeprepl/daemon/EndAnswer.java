package io.steeprepl.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.steeprepl.daemon.ipc.Answers;

/**
 * Tells the daemon to end, as SIGTERM does where there are signals. For programs of its own account, which could also kill it, and not
 * for other machines.
 */
record EndAnswer(Runnable end) implements Answers {
    /** What it is called. */
    static final String METHOD = "daemon.stop";

    @Override
    public boolean knows(String method) {
        return method.equals(METHOD);
    }

    @Override
    public boolean reads(String method) {
        return false;
    }

    @Override
    public JsonNode answer(String method, JsonNode params) {
        end.run();
        return JsonNodeFactory.instance.objectNode().put("ending", true);
    }
}
