package io.steeprepl.it.history;

import org.jspecify.annotations.Nullable;

/** A write of one row, as planned. {@code id} is what the written row carries as write_id. */
sealed interface Operation {
    long id();

    Shape shape();

    record Insert(long id, Shape shape, int key, @Nullable String unique) implements Operation {}

    /**
     * Reads the row and changes it; inserts one where there is none.
     *
     * @param changesUnique whether it sets the column u
     * @param changesWide whether it sets the long value, where there is one
     */
    record Update(
            long id,
            Shape shape,
            int key,
            boolean changesUnique,
            @Nullable String unique,
            boolean changesWide) implements Operation {}

    record Delete(long id, Shape shape, int key) implements Operation {}

    /** Deletes and inserts again under the same key. */
    record Replace(long id, Shape shape, int key, @Nullable String unique) implements Operation {}

    record Move(long id, Shape shape, int key, int to) implements Operation {}

    /** Deletes all rows at once; each row of this history counts as deleted, under ids from {@code id} on. */
    record Truncate(long id, Shape shape) implements Operation {}
}
