package io.steeprepl.testkit;

import org.jspecify.annotations.Nullable;

/** A server could not be prepared, started or stopped; the message says what, why and what to do. */
public final class TestkitException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public TestkitException(String message) {
        super(message);
    }

    public TestkitException(String message, @Nullable Throwable cause) {
        super(cause == null ? message : message + ": " + cause.getMessage(), cause);
    }
}
