package io.steeprepl.cli.service;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The daemon's socket, for commands that speak with it themselves. */
final class SocketOption {
    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "The daemon's socket. Default: what repl.ipc.path names in its file, else the usual one.")
    private @Nullable Path socket;

    /** Empty when the user did not say. */
    @Nullable
    Path value() {
        return socket;
    }
}
