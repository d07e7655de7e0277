package io.steeprepl.api;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a long operation is: work in the background, or a take-over. Numbers are null while they are not known.
 *
 * @param kind what it does: snapshot, apply; start, reinit, join
 * @param phase what is being done now
 * @param percent 0 to 100
 * @param currentTable the table of the stream that has moved most
 * @param rowsTotal an estimate, until the work knows better
 * @param bytesTotal of a take-over, what the tables take on the source, until they are here
 * @param bytesPerSecond in this phase
 * @param streams what runs beside each other now
 * @param error why it failed
 * @param sqlState the code of that error
 * @param source where the tables come from; null where nobody asks for it, and of work
 * @param emptied of a reinit, whether the rows of this node are gone
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
        @Nullable String sqlState,
        @Nullable String source,
        @Nullable Boolean emptied) {

    /** One of several processes that share the work, and how much of a table it has done. */
    public record Stream(String table, long rows, long bytes) {}
}
