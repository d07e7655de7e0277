package io.steeprepl.it.history.oracle;

import java.time.Instant;

/** A committed TRUNCATE, which also keeps away older rows that its writer had never seen. */
public record Truncation(String table, String node, Instant time) {}
