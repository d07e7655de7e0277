package io.steeprepl.api;

import java.util.List;

/**
 * A conflict and what else happened to the same row.
 *
 * @param entry the one that was asked for
 * @param history all entries of the same table and key, oldest first, the one asked for among them
 */
public record ConflictHistory(Conflict entry, List<Conflict> history) {}
