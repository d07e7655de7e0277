package io.steeprepl.config.repl;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The socket for programs of the same account.
 *
 * @param path empty for the usual one
 * @param timeout for a line that has been begun, and for taking an answer
 */
public record IpcSettings(
        boolean enabled, Optional<Path> path, int maxClients, int maxRequestBytes, Duration timeout) {}
