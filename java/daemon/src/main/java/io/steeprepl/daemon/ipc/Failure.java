package io.steeprepl.daemon.ipc;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.remote.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Why a request was not answered.
 *
 * @param code malformed, too_large, unknown_method, usage, failed, timed_out, cancelled, cannot_connect, internal, busy
 * @param sqlState the database's own code
 */
record Failure(
        String code,
        String message,
        @Nullable String sqlState,
        @Nullable String detail,
        @Nullable String hint) {
    static Failure of(String code, String message, @Nullable String hint) {
        return new Failure(code, message, null, null, hint);
    }

    static Failure of(ApiException error) {
        return new Failure(Errors.code(error), error.message(), error.sqlState(), error.detail(), error.hint());
    }

    ObjectNode json() {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("code", code);
        object.put("message", message);
        if (sqlState != null) {
            object.put("sqlstate", sqlState);
        }
        if (detail != null) {
            object.put("detail", detail);
        }
        if (hint != null) {
            object.put("hint", hint);
        }
        return object;
    }
}
