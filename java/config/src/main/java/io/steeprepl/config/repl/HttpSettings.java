package io.steeprepl.config.repl;

/** Where {@code /health} and {@code /metrics} are served. */
public record HttpSettings(boolean enabled, String bind, int port) {}
