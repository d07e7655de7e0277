package io.steeprepl.daemon.service;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a service is.
 *
 * @param installed whether the system knows it
 * @param state in the system's own words
 * @param pid while it runs
 * @param account under which it runs; empty where the system does not say
 * @param config the file that its command line names
 */
public record ServiceState(
        boolean installed, String state, Optional<Long> pid, Optional<String> account, Optional<Path> config) {
    /** Where the system says no more. */
    ServiceState(boolean installed, String state, Optional<Long> pid) {
        this(installed, state, pid, Optional.empty(), Optional.empty());
    }
}
