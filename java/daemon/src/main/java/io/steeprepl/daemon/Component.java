package io.steeprepl.daemon;

import java.time.Duration;
import java.util.Optional;

/** A part of the daemon that others reach from outside. It serves from its construction on, until it is closed. */
public interface Component extends AutoCloseable {
    /** Its name in {@code components} of {@code /health}: grpc, ipc. */
    String name();

    /** How it is now. */
    ComponentState state();

    /** What does no harm yet, and will: the daemon is degraded then. */
    default Optional<String> warning() {
        return Optional.empty();
    }

    /** The configuration was read again. */
    default void reload() {}

    /** Takes no more requests, gives those that are under way so long, and closes. */
    default void close(Duration grace) {
        close();
    }

    @Override
    void close();
}
