package io.steeprepl.direct;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.connection.Secrets;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Turns the driver's errors into the api's, by SQLSTATE, not by text. */
final class Errors {
    private static final String QUERY_CANCELED = "57014";
    /** invalid_schema_name, undefined_function, undefined_table: what a database without the extension answers. */
    private static final Set<String> NO_EXTENSION = Set.of("3F000", "42883", "42P01");
    /** lock_not_available, transaction_timeout, an apply worker that does not stop. */
    private static final Set<String> TIMEOUT = Set.of("55P03", "25P04", "25P03", "SR011");
    /** The server went away: shut down, crashed, starting up, idle session ended. */
    private static final Set<String> GONE = Set.of("57P01", "57P02", "57P03", "57P04", "57P05");

    /** Not this node, but the one that it was to ask. */
    private static final String PEER_UNREACHABLE = "SR090";

    private Errors() {}

    /** {@code cancelled}: whether this side asked for the end. */
    static ApiException translate(SQLException error, boolean cancelled) {
        ServerErrorMessage server = error instanceof PSQLException e ? e.getServerErrorMessage() : null;
        String state = Objects.requireNonNullElse(error.getSQLState(), "");
        String message = mask(server == null ? error.getMessage() : server.getMessage());
        String detail = server == null ? null : maskOrNull(server.getDetail());
        String hint = server == null ? null : maskOrNull(server.getHint());
        if (cancelled) {
            return new ApiException.Cancelled("cancelled", error);
        }
        // The driver's own refusal: it has no other mark, and the connection is closed, as with what begins with 08.
        if (server == null && message.contains("maxResultBuffer")) {
            return new ApiException.Failed(
                    null,
                    "the answer is larger than the daemon hands over at once",
                    message,
                    "ask for less (--limit, --table, --since), or ask the database itself: --direct",
                    error);
        }
        if (state.startsWith("08") || GONE.contains(state)) {
            return new ApiException.CannotConnect(
                    state, "the connection was lost", message, "see the server's log, and try again", error);
        }
        if (state.equals(PEER_UNREACHABLE)) {
            return new ApiException.CannotConnect(state, message, detail, hint, error);
        }
        if (state.equals(QUERY_CANCELED) || TIMEOUT.contains(state)) {
            return new ApiException.TimedOut(state, message, detail, hint, error);
        }
        if (NO_EXTENSION.contains(state) && message.contains("steep_repl")) {
            return new ApiException.Failed(
                    state,
                    "this database does not have the extension steep_repl, or an older version of it",
                    message,
                    "CREATE EXTENSION steep_repl, or ALTER EXTENSION steep_repl UPDATE; if its files are missing: steep-repl extension install",
                    error);
        }
        return new ApiException.Failed(state, message, detail, hint, error);
    }

    private static String mask(@Nullable String text) {
        return text == null ? "the server gave no message" : Secrets.mask(text);
    }

    private static @Nullable String maskOrNull(@Nullable String text) {
        return text == null ? null : Secrets.mask(text);
    }
}
