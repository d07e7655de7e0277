package io.steeprepl.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.config.repl.Changes;
import io.steeprepl.daemon.http.Metrics;
import io.steeprepl.daemon.ipc.Answers;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** The methods about the daemon itself. */
record OwnAnswers(Status status, Metrics metrics, Supplier<Changes> reload) implements Answers {
    private static final Set<String> READING = Set.of("status.get", "health.check", "metrics.get");
    private static final String RELOAD = "config.reload";

    @Override
    public boolean knows(String method) {
        return reads(method) || method.equals(RELOAD);
    }

    @Override
    public boolean reads(String method) {
        return READING.contains(method);
    }

    @Override
    public JsonNode answer(String method, JsonNode params) {
        return switch (method) {
            case "status.get" -> status.status();
            case "health.check" -> {
                ObjectNode health = status.health();
                health.set("node_health", status.nodeHealth());
                yield health;
            }
            case "metrics.get" -> JsonNodeFactory.instance.objectNode().put("text", metrics.text());
            case RELOAD -> changes(reload.get());
            default -> throw new IllegalArgumentException(method);
        };
    }

    private static ObjectNode changes(Changes changes) {
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        list(document, "in_effect", changes.live());
        list(document, "needs_restart", changes.restart());
        return document;
    }

    private static void list(ObjectNode document, String name, List<String> keys) {
        var array = document.putArray(name);
        keys.forEach(key -> array.add("repl." + key));
    }
}
