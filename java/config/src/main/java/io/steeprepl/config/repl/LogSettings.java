package io.steeprepl.config.repl;

/**
 * What is logged and where.
 *
 * @param level error, warn, info or debug
 * @param target stdout or syslog
 */
public record LogSettings(String level, String target) {}
