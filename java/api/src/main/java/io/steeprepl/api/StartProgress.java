package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far a start is.
 *
 * @param phase what is being done now
 * @param rowsTotal an estimate, 0 when unknown
 * @param error why it failed
 */
public record StartProgress(
        long id,
        State state,
        @Nullable String phase,
        int tablesDone,
        int tablesTotal,
        @Nullable String currentTable,
        long rowsDone,
        long rowsTotal,
        long bytesDone,
        @Nullable String error,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt) {

    /** Whether the work goes on. */
    public enum State {
        RUNNING,
        COMPLETE,
        FAILED
    }
}
