package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * A setting of the server that a node cannot work with.
 *
 * @param current its value now
 * @param wanted its value for postgresql.conf
 * @param problem why
 */
public record SettingProblem(String name, @Nullable String current, String wanted, String problem) {}
