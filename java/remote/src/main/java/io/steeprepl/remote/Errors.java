package io.steeprepl.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import org.jspecify.annotations.Nullable;

/** The api's errors as they travel: {@code {"code","message","detail","hint","sqlstate"}}. */
public final class Errors {
    private Errors() {}

    /** The word for a kind of error. */
    public static String code(ApiException error) {
        return switch (error) {
            case ApiException.Usage _ -> "usage";
            case ApiException.CannotConnect _ -> "cannot_connect";
            case ApiException.TimedOut _ -> "timed_out";
            case ApiException.Cancelled _ -> "cancelled";
            case ApiException.Failed _ -> "failed";
        };
    }

    /** The error of that kind; a kind that is not known is {@link ApiException.Failed}. */
    public static ApiException of(
            String code, String message, @Nullable String detail, @Nullable String hint, @Nullable String sqlState) {
        return switch (code) {
            case "usage" -> new ApiException.Usage(message, detail, hint);
            case "cannot_connect" -> new ApiException.CannotConnect(sqlState, message, detail, hint, null);
            case "timed_out" -> new ApiException.TimedOut(sqlState, message, detail, hint, null);
            case "cancelled" -> new ApiException.Cancelled(message, null);
            default -> new ApiException.Failed(sqlState, message, detail, hint, null);
        };
    }

    /** The error as JSON. */
    public static ObjectNode encode(ApiException error) {
        return Codec.object()
                .put("code", code(error))
                .put("message", error.message())
                .put("detail", error.detail())
                .put("hint", error.hint())
                .put("sqlstate", error.sqlState());
    }

    /** The error that was written so. */
    public static ApiException decode(JsonNode json) {
        return of(
                json.path("code").asText(),
                json.path("message").asText(),
                text(json.path("detail")),
                text(json.path("hint")),
                text(json.path("sqlstate")));
    }

    private static @Nullable String text(JsonNode value) {
        return value.isTextual() ? value.textValue() : null;
    }

    /** What an error that nobody expected is to others; the program that has it logs where it came from. */
    public static ApiException unexpected(RuntimeException error) {
        return error instanceof ApiException known
                ? known
                : new ApiException.Failed(
                        null, "the daemon failed: " + error, null, "this is not expected; see the daemon's log", error);
    }
}
