package io.steeprepl.daemon.watch;

import org.jspecify.annotations.Nullable;

/** There is a server, and this daemon must leave it alone. */
final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final @Nullable String version;

    Refusal(@Nullable String version, String message) {
        super(message);
        this.version = version;
    }

    @Nullable
    String version() {
        return version;
    }
}
