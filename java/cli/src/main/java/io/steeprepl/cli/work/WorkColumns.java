package io.steeprepl.cli.work;

import io.steeprepl.api.WorkProgress;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Text;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is printed of work. */
public final class WorkColumns {
    /** Of its progress, for programs. */
    public static final List<Column<WorkProgress>> PROGRESS = List.of(
            Column.of("id", WorkProgress::id),
            Column.of("kind", WorkProgress::kind),
            Column.of("state", now -> now.state().text()),
            Column.of("phase", WorkProgress::phase),
            Column.of("percent", WorkProgress::percent),
            Column.of("current_table", WorkProgress::currentTable),
            Column.of("tables_done", WorkProgress::tablesDone),
            Column.of("tables_total", WorkProgress::tablesTotal),
            Column.of("rows_done", WorkProgress::rowsDone),
            Column.of("rows_total", WorkProgress::rowsTotal),
            Column.of("bytes_done", WorkProgress::bytesDone),
            Column.of("bytes_total", WorkProgress::bytesTotal),
            Column.of("bytes_per_second", WorkProgress::bytesPerSecond),
            Column.of("seconds_left", WorkProgress::secondsLeft),
            Column.of(
                    "streams",
                    now -> now.streams().stream().map(WorkColumns::stream).toList()),
            Column.of("error", WorkProgress::error),
            Column.of("sqlstate", WorkProgress::sqlState),
            Column.of("started_at", WorkProgress::startedAt),
            Column.of("finished_at", WorkProgress::finishedAt));

    /** Of its progress, for people. */
    public static final List<Column<WorkProgress>> PROGRESS_TEXT = List.of(
            Column.of("id", WorkProgress::id),
            Column.of("kind", WorkProgress::kind),
            Column.of("state", now -> now.state().text()),
            Column.of("phase", WorkProgress::phase),
            Column.of("percent", WorkProgress::percent),
            Column.of("tables", WorkColumns::tables),
            Column.of("rows", WorkProgress::rowsDone),
            Column.of("bytes", now -> bytes(now.bytesDone())),
            Column.of("rate", now -> now.bytesPerSecond() == null ? null : bytes(now.bytesPerSecond()) + "/s"),
            Column.of("seconds_left", WorkProgress::secondsLeft),
            Column.of("error", WorkProgress::error));

    private WorkColumns() {}

    private static Map<String, @Nullable Object> stream(WorkProgress.Stream stream) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("table", stream.table());
        object.put("rows", stream.rows());
        object.put("bytes", stream.bytes());
        return object;
    }

    private static @Nullable String tables(WorkProgress now) {
        return now.tablesTotal() == null ? null : now.tablesDone() + "/" + now.tablesTotal();
    }

    private static @Nullable String bytes(@Nullable Long count) {
        return count == null ? null : Text.bytes(count);
    }
}
