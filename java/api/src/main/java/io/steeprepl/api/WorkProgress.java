package io.steeprepl.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far some work in the background is. Numbers are null while they are not known.
 *
 * @param kind what it does: snapshot, apply
 * @param phase what is being done now
 * @param percent 0 to 100
 * @param currentTable the table of the stream that has moved most
 * @param rowsTotal an estimate, until the work knows better
 * @param bytesPerSecond in this phase
 * @param streams what runs beside each other now
 * @param error why it failed
 * @param sqlState the code of that error
 */
public record WorkProgress(
        long id,
        String kind,
        WorkState state,
        String phase,
        @Nullable Double percent,
        @Nullable String currentTable,
        @Nullable Long tablesDone,
        @Nullable Long tablesTotal,
        @Nullable Long rowsDone,
        @Nullable Long rowsTotal,
        @Nullable Long bytesDone,
        @Nullable Long bytesTotal,
        @Nullable Long bytesPerSecond,
        @Nullable Long secondsLeft,
        List<Stream> streams,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        @Nullable String error,
        @Nullable String sqlState) {

    /** One of several processes that share the work, and how much of a table it has done. */
    public record Stream(String table, long rows, long bytes) {}
}
