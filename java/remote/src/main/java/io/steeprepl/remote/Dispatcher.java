package io.steeprepl.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The answering end: carries out operations on nodes that it is lent, one a call. Many threads may use it at once. */
public final class Dispatcher {
    /** Whoever wants to be able to cancel a call names it with this parameter, whatever the method. */
    public static final String CALL_ID = "call_id";
    /** The method that cancels a call, with {@link #CALL_ID} as its only parameter. */
    public static final String CANCEL = "calls.cancel";

    /** What is answered is held in memory, for each who asks. How much it is in bytes, the connections limit. */
    private static final int MOST_ENTRIES = 10_000;

    private static final Map<String, Operation<?, ?>> OPERATIONS = Stream.of(
                    RemoteNodes.NOUN,
                    RemoteHealth.NOUN,
                    RemoteAudit.NOUN,
                    RemoteSubscriptions.NOUN,
                    RemoteTables.NOUN,
                    RemoteConflicts.NOUN,
                    RemoteRanges.NOUN,
                    RemoteSchemas.NOUN,
                    RemoteSnapshots.NOUN,
                    RemoteWork.NOUN,
                    RemoteStart.NOUN,
                    RemoteReinit.NOUN)
            .flatMap(noun -> noun.operations().stream())
            .collect(Collectors.toUnmodifiableMap(Operation::name, Function.identity()));

    private final Supplier<SteepRepl> nodes;
    private final Map<String, Cancelling> running = new ConcurrentHashMap<>();

    /** {@code nodes} lends a node for a call, which closes it. It may throw {@link ApiException}. */
    public Dispatcher(Supplier<SteepRepl> nodes) {
        this.nodes = nodes;
    }

    /** The names of all operations, in order. */
    public static Set<String> methods() {
        return new TreeSet<>(OPERATIONS.keySet());
    }

    /** Whether this is a method that {@link #call} knows. */
    public static boolean knows(String method) {
        return OPERATIONS.containsKey(method) || method.equals(CANCEL);
    }

    /** Whether this is a method that changes nothing. */
    public static boolean reads(String method) {
        Operation<?, ?> operation = OPERATIONS.get(method);
        // Over gRPC nobody can name another's call.
        return operation == null ? method.equals(CANCEL) : operation.reads();
    }

    /** Carries out an operation; it can be cancelled by {@link #CANCEL}. Throws {@link ApiException} and nothing else. */
    public JsonNode call(String method, JsonNode params) {
        String id = params.path(CALL_ID).asText("");
        if (method.equals(CANCEL)) {
            Cancelling known = running.get(id);
            if (known != null) {
                known.cancel();
            }
            return Codec.encode(null);
        }
        Operation<?, ?> operation = OPERATIONS.get(method);
        if (operation == null) {
            throw new ApiException.Usage(
                    "there is no method \"%s\"".formatted(method), "the methods: " + String.join(", ", methods()));
        }
        if (params.path("limit").asLong() > MOST_ENTRIES) {
            throw new ApiException.Usage(
                    "a daemon hands over at most %d entries at once, not %s"
                            .formatted(MOST_ENTRIES, params.path("limit").asText()),
                    "ask for fewer, or ask the database itself: --direct");
        }
        try {
            return call(operation, params, id);
        } catch (RuntimeException e) {
            throw Errors.unexpected(e);
        }
    }

    private <P extends Record> JsonNode call(Operation<P, ?> operation, JsonNode params, String id) {
        P given = Codec.params(operation, params);
        var cancelling = new Cancelling();
        if (!id.isEmpty()) {
            // Before a node is lent: that may take a while, in which the caller may give up.
            running.put(id, cancelling);
        }
        try (SteepRepl node = nodes.get()) {
            cancelling.begin(node);
            return Codec.encode(operation.answer().apply(node, given));
        } finally {
            cancelling.end();
            running.remove(id, cancelling);
        }
    }
}
