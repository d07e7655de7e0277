package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/** Something that stands in the way of a start, and what to do about it. */
public record StartProblem(String problem, @Nullable String remedy) {}
