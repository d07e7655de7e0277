package io.steeprepl.it.history;

import io.steeprepl.it.history.oracle.Truncation;
import io.steeprepl.it.history.oracle.Write;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A transaction that a session has tried: what it said, and what became of it. Filled by its session, read afterwards. */
final class Attempt {
    /** What became of it. */
    enum End {
        COMMITTED,
        REFUSED,
        /** The connection broke during COMMIT; the server knows once it runs again. */
        UNKNOWN
    }

    /** A write before the time of its commit is known. */
    record Draft(
            long id,
            Write.Kind kind,
            Shape shape,
            @Nullable Long read,
            @Nullable Integer before,
            @Nullable Integer after,
            @Nullable String row,
            @Nullable String was) {
        Draft(
                long id,
                Write.Kind kind,
                Shape shape,
                @Nullable Long read,
                @Nullable Integer before,
                @Nullable Integer after,
                @Nullable String row) {
            this(id, kind, shape, read, before, after, row, null);
        }

        Write at(String node, Instant time, int epoch, int ordinal) {
            return new Write(id, node, kind, shape.table(), read, before, after, row, was, time, epoch, ordinal);
        }
    }

    final int node;
    /** How often all had arrived everywhere before it began. */
    final int epoch;

    final Instant begun = Instant.now();
    final List<String> lines = new ArrayList<>();
    final List<Draft> drafts = new ArrayList<>();
    final List<Shape> truncated = new ArrayList<>();
    End end = End.REFUSED;
    /** When the session knew how it ended, or that it does not. */
    Instant ended = begun;

    @Nullable
    String transaction;

    @Nullable
    Instant committed;

    Attempt(int node, int epoch) {
        this.node = node;
        this.epoch = epoch;
    }

    List<Truncation> truncations(String nodeId) {
        List<Truncation> truncations = new ArrayList<>();
        if (end == End.COMMITTED && committed != null) {
            for (Shape shape : truncated) {
                truncations.add(new Truncation(shape.table(), nodeId, committed));
            }
        }
        return truncations;
    }

    /** The writes, once it is known that they are committed, and when. */
    List<Write> writes(String nodeId) {
        List<Write> writes = new ArrayList<>();
        if (end == End.COMMITTED && committed != null) {
            for (Draft draft : drafts) {
                writes.add(draft.at(nodeId, committed, epoch, writes.size()));
            }
        }
        return writes;
    }
}
