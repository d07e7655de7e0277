package io.steeprepl.cli.node;

import io.steeprepl.api.StartProgress;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One JSON object a line, for every change. */
final class StartJson implements StartView {
    private static final List<Column<StartProgress>> COLUMNS = List.of(
            Column.of("id", StartProgress::id),
            Column.of("state", progress -> progress.state().name().toLowerCase(Locale.ROOT)),
            Column.of("phase", StartProgress::phase),
            Column.of("tables_done", StartProgress::tablesDone),
            Column.of("tables_total", StartProgress::tablesTotal),
            Column.of("current_table", StartProgress::currentTable),
            Column.of("rows_done", StartProgress::rowsDone),
            Column.of("rows_total", StartProgress::rowsTotal),
            Column.of("bytes_done", StartProgress::bytesDone),
            Column.of("error", StartProgress::error),
            Column.of("started_at", StartProgress::startedAt),
            Column.of("finished_at", StartProgress::finishedAt));

    private final Output out;
    private @Nullable StartProgress shown;

    StartJson(Output out) {
        this.out = out;
    }

    @Override
    public void show(StartProgress now) {
        if (!now.equals(shown)) {
            out.one(COLUMNS, now);
            shown = now;
        }
    }

    @Override
    public void end(StartProgress last) {
        show(last);
    }
}
