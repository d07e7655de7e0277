package io.steeprepl.daemon;

/** A part of the daemon that others reach from outside. It serves from its construction on, until it is closed. */
public interface Component extends AutoCloseable {
    /** Its name in {@code components} of {@code /health}: grpc, ipc. */
    String name();

    /** How it is now. */
    ComponentState state();

    @Override
    void close();
}
