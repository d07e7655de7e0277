package io.steeprepl.api;

/**
 * A way to decide conflicts that a table may have.
 *
 * @param description what it does, in a sentence
 * @param converges whether all nodes end with the same row by themselves
 */
public record ConflictStrategy(String name, String description, boolean converges) {}
