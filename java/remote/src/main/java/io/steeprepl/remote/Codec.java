package io.steeprepl.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Arguments and results as JSON: keys in snake_case; times, durations, names and positions as text. */
public final class Codec {
    /** Reads results: an older or newer daemon may say less or more. */
    private static final JsonMapper LENIENT = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .addModule(Forms.module())
            .build();

    /** Of the answering end; a command, which only asks, does without it. */
    private static final class Strict {
        /** Reads what others have written: what is unknown, missing or of another type is an error. */
        static final JsonMapper MAPPER = JsonMapper.builder()
                .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(com.fasterxml.jackson.databind.MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .enable(com.fasterxml.jackson.databind.MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
                .annotationIntrospector(new Required())
                .addModule(Forms.module())
                .build();

        private Strict() {}
    }

    private Codec() {}

    /** Writes and reads something, so that the first real answer need not wait for all that is loaded for it. */
    public static void prepare() {
        try {
            LENIENT.readerFor(Operation.Numbered.class)
                    .readValue(LENIENT.writeValueAsString(new Operation.Numbered(1)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A new, empty object. */
    public static ObjectNode object() {
        return LENIENT.createObjectNode();
    }

    /** Reads one JSON document. Throws {@link ApiException.Usage}. */
    public static JsonNode parse(String text) {
        try {
            return LENIENT.readTree(text);
        } catch (JsonProcessingException e) {
            throw new ApiException.Usage("not JSON: " + e.getOriginalMessage(), "send one JSON object");
        }
    }

    /** Writes one JSON document, on one line. */
    public static String write(@Nullable JsonNode json) {
        return json == null ? "null" : json.toString();
    }

    static ObjectNode encodeParams(Record params) {
        return LENIENT.valueToTree(params);
    }

    static JsonNode encode(@Nullable Object result) {
        return LENIENT.valueToTree(result);
    }

    static <R extends @Nullable Object> R decode(Operation<?, R> operation, JsonNode result) {
        try {
            return LENIENT.readerFor(operation.result()).readValue(result);
        } catch (java.io.IOException e) {
            throw new ApiException.Failed(
                    null,
                    "the answer to %s cannot be read".formatted(operation.name()),
                    e.getMessage(),
                    "do this program and the daemon have the same version?",
                    e);
        }
    }

    static <P extends Record> P params(Operation<P, ?> operation, JsonNode given) {
        if (!given.isObject() && !given.isNull() && !given.isMissingNode()) {
            throw new ApiException.Usage(
                    "the parameters of %s must be an object".formatted(operation.name()), "\"params\":{}");
        }
        ObjectNode whole = object();
        operation.defaults().forEach((parameter, value) -> whole.set(parameter, encode(value)));
        given.properties().forEach(entry -> whole.set(entry.getKey(), entry.getValue()));
        whole.remove(Dispatcher.CALL_ID);
        try {
            return Objects.requireNonNull(Strict.MAPPER.treeToValue(whole, operation.params()));
        } catch (JsonProcessingException e) {
            throw wrong(operation, whole, e);
        }
    }

    /** What a record says of its own values comes through as it is. */
    private static ApiException wrong(Operation<?, ?> operation, JsonNode given, JsonProcessingException error) {
        if (error.getCause() instanceof ApiException refused) {
            return refused;
        }
        String where = error instanceof JsonMappingException mapping
                ? mapping.getPath().stream()
                        .map(step -> String.valueOf(step.getFieldName()))
                        .collect(Collectors.joining("."))
                : "";
        String known = Required.names(operation.params());
        // A path of several steps is of something that is there.
        if (error instanceof MismatchedInputException
                && !(error instanceof UnrecognizedPropertyException)
                && where.matches("\\w+")
                && !given.hasNonNull(where)) {
            return new ApiException.Usage(
                    "%s needs the parameter %s".formatted(operation.name(), where), "parameters: " + known);
        }
        return new ApiException.Usage(
                error instanceof UnrecognizedPropertyException
                        ? "%s has no parameter %s".formatted(operation.name(), where)
                        : "%s: %s%s"
                                .formatted(
                                        operation.name(),
                                        where.isEmpty() ? "" : where + ": ",
                                        error.getOriginalMessage()),
                known.isEmpty() ? "it has no parameters" : "parameters: " + known);
    }
}
