package io.steeprepl.daemon.event;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something has changed.
 *
 * @param name noun.verb or noun.noun, such as {@code database.lost}
 * @param data what it is about, for programs
 */
public record Event(Instant at, String name, Map<String, @Nullable Object> data) {}
