package io.steeprepl.it.history.oracle;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A committed write of one row.
 *
 * @param id its own id, which the row carries; a deletion has one too, which no row carries
 * @param read the id of the write that the writer had seen in this row, null for an insertion
 * @param before the key of the row that it removed or changed, null for an insertion
 * @param after the key under which its row stands, null for a deletion
 * @param row the whole row as jsonb text, null for a deletion
 * @param was the row that it changed, likewise, where that is known
 * @param time when its transaction committed, as the node says
 * @param epoch all writes of earlier epochs had arrived on all nodes before it
 * @param ordinal its place within its transaction
 */
public record Write(
        long id,
        String node,
        Kind kind,
        String table,
        @Nullable Long read,
        @Nullable Integer before,
        @Nullable Integer after,
        @Nullable String row,
        @Nullable String was,
        Instant time,
        int epoch,
        int ordinal) {
    /** What kind of write it was. */
    public enum Kind {
        INSERT,
        UPDATE,
        MOVE,
        DELETE,
        /** Deleted and inserted again under the same key, in one transaction. */
        REPLACE
    }

    boolean touches(int key) {
        return Integer.valueOf(key).equals(before) || Integer.valueOf(key).equals(after);
    }

    /** Whether the row that it read lives on in its own row. */
    boolean continues() {
        return kind == Kind.UPDATE || kind == Kind.MOVE;
    }

    @Override
    public String toString() {
        return "write " + id + " (" + kind + " " + table + " "
                + (before == null ? "" : before) + (kind == Kind.MOVE ? "→" + after : before == null ? after : "")
                + (read == null ? "" : ", read " + read) + ", on " + node + " at " + time + ")";
    }
}
