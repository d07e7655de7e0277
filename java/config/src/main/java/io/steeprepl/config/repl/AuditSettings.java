package io.steeprepl.config.repl;

import java.time.Duration;

/** How long entries of the audit log are kept, and how often older ones are removed. */
public record AuditSettings(Duration retention, Duration pruneInterval) {}
