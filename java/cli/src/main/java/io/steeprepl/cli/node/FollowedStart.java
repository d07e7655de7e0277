package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.StartProgress;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Text;
import io.steeprepl.cli.progress.Cancel;
import io.steeprepl.cli.progress.Followed;
import io.steeprepl.cli.progress.Glance;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A start, as it is followed. */
final class FollowedStart implements Followed<StartProgress> {
    static final List<Column<StartProgress>> COLUMNS = List.of(
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

    /** The phase in which a start is that somebody has cancelled. */
    private static final String CANCELLED = "cancelled";

    private final long id;
    /** The options by which other commands reach the node. */
    private final String way;

    private final Rate rate = new Rate();

    FollowedStart(long id, String way) {
        this.id = id;
        this.way = way;
    }

    @Override
    public StartProgress look(SteepRepl node) {
        return node.start()
                .progress(id)
                .orElseThrow(() -> new ApiException.Failed(
                        null, "the server does not know start %d any more".formatted(id), null, null, null));
    }

    @Override
    public Duration pause() {
        return Duration.ofMillis(300);
    }

    @Override
    public WorkState state(StartProgress now) {
        return switch (now.state()) {
            case RUNNING -> WorkState.RUNNING;
            case COMPLETE -> WorkState.COMPLETE;
            case FAILED -> CANCELLED.equals(now.phase()) ? WorkState.CANCELLED : WorkState.FAILED;
        };
    }

    @Override
    public Glance glance(StartProgress now) {
        return glance(now, rate.update(now.rowsDone()));
    }

    /** For a rate in rows a second. */
    static Glance glance(StartProgress now, double perSecond) {
        String phase = Objects.requireNonNullElse(now.phase(), "");
        long left = now.rowsTotal() - now.rowsDone();
        return new Glance(
                now.currentTable() == null ? phase : phase + " " + now.currentTable(),
                now.rowsTotal() > 0 ? Math.min(100, 100.0 * now.rowsDone() / now.rowsTotal()) : null,
                now.tablesDone() + "/" + now.tablesTotal(),
                List.of("%,d rows".formatted(now.rowsDone())),
                "%,.0f rows/s".formatted(perSecond),
                perSecond >= 1 && left > 0 ? Duration.ofSeconds((long) (left / perSecond)) : null,
                List.of());
    }

    @Override
    public List<Column<StartProgress>> columns() {
        return COLUMNS;
    }

    @Override
    public String summary(StartProgress last) {
        return "started: %d tables, %d rows, %s copied"
                .formatted(last.tablesDone(), last.rowsDone(), Text.bytes(last.bytesDone()));
    }

    @Override
    public ApiException failure(StartProgress failed) {
        return new ApiException.Failed(
                null,
                "the start failed",
                failed.error(),
                "remove the cause and run the same command again: it goes on",
                null);
    }

    @Override
    public String cancelled() {
        return "cancelled; tables that were taken over stay and replicate, and the same command goes on from there";
    }

    @Override
    public String again() {
        return "steep-repl %snode progress --follow".formatted(way);
    }

    @Override
    public Optional<Cancel> cancel() {
        return Optional.of(new Cancel(
                "steep-repl %snode cancel %d".formatted(way, id),
                node -> node.start().cancel(id)));
    }

    /** Rows a second, smoothed. */
    private static final class Rate {
        private long at = System.nanoTime();
        private @Nullable Long rows;
        private double perSecond;

        double update(long now) {
            double seconds = (System.nanoTime() - at) / 1e9;
            if (rows != null && seconds > 0.2) {
                double current = Math.max(0, now - rows) / seconds;
                perSecond = perSecond == 0 ? current : 0.8 * perSecond + 0.2 * current;
            }
            if (rows == null || seconds > 0.2) {
                at = System.nanoTime();
                rows = now;
            }
            return perSecond;
        }
    }
}
