package io.steeprepl.daemon.service;

import java.util.Optional;

/**
 * How a service is.
 *
 * @param installed whether the system knows it
 * @param state in the system's own words
 * @param pid while it runs
 */
public record ServiceState(boolean installed, String state, Optional<Long> pid) {}
