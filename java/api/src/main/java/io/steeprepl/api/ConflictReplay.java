package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * What another strategy would have made of the logged conflicts of one kind and table.
 *
 * @param conflicts how many were replayed
 * @param wouldDiffer how many rows would have ended otherwise
 * @param wouldWait how many would wait for a person
 * @param notReadable how many are of a table that the caller may not read
 * @param examples up to three of those that would differ, as JSON: id, key, decided, would_be
 */
public record ConflictReplay(
        QualifiedName table,
        String kind,
        long conflicts,
        long wouldDiffer,
        long wouldWait,
        long notReadable,
        @Nullable String examples) {}
