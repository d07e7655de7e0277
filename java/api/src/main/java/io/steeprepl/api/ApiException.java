package io.steeprepl.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A call that did not do what was asked: what, why and what to do. Never holds a password. */
public abstract sealed class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final @Nullable String sqlState;
    private final @Nullable String detail;
    private final @Nullable String hint;

    ApiException(
            @Nullable String sqlState,
            String message,
            @Nullable String detail,
            @Nullable String hint,
            @Nullable Throwable cause) {
        super(message, cause);
        this.sqlState = sqlState;
        this.detail = detail;
        this.hint = hint;
    }

    /** What went wrong. */
    public final String message() {
        return Objects.requireNonNullElse(getMessage(), "");
    }

    /** The server's error code, null when the error is not the server's. */
    public final @Nullable String sqlState() {
        return sqlState;
    }

    /** Why, with the values that matter. */
    public final @Nullable String detail() {
        return detail;
    }

    /** What to do: a command or a line to paste. */
    public final @Nullable String hint() {
        return hint;
    }

    /** The caller asked for something that cannot be meant. */
    public static final class Usage extends ApiException {
        private static final long serialVersionUID = 1L;

        /** An error in what the user wrote, and what to write instead. */
        public Usage(String message, @Nullable String hint) {
            this(message, null, hint);
        }

        /** The same with every single error in the detail, a line each. */
        public Usage(String message, @Nullable String detail, @Nullable String hint) {
            super(null, message, detail, hint, null);
        }
    }

    /** No server could be reached, or the connection was lost. */
    public static final class CannotConnect extends ApiException {
        private static final long serialVersionUID = 1L;

        /** Which servers were tried and what each said is in the detail. */
        public CannotConnect(
                @Nullable String sqlState,
                String message,
                @Nullable String detail,
                @Nullable String hint,
                @Nullable Throwable cause) {
            super(sqlState, message, detail, hint, cause);
        }
    }

    /** The node refused or could not do it. */
    public static final class Failed extends ApiException {
        private static final long serialVersionUID = 1L;

        /** The server's error, or one of ours with a null {@code sqlState}. */
        public Failed(
                @Nullable String sqlState,
                String message,
                @Nullable String detail,
                @Nullable String hint,
                @Nullable Throwable cause) {
            super(sqlState, message, detail, hint, cause);
        }
    }

    /** It took longer than allowed. */
    public static final class TimedOut extends ApiException {
        private static final long serialVersionUID = 1L;

        /** The server gave up waiting. */
        public TimedOut(
                @Nullable String sqlState,
                String message,
                @Nullable String detail,
                @Nullable String hint,
                @Nullable Throwable cause) {
            super(sqlState, message, detail, hint, cause);
        }
    }

    /** It was cancelled from this side. */
    public static final class Cancelled extends ApiException {
        private static final long serialVersionUID = 1L;

        /** The caller asked for the end. */
        public Cancelled(String message, @Nullable Throwable cause) {
            super("57014", message, null, null, cause);
        }
    }
}
