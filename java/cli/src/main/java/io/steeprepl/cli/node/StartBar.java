package io.steeprepl.cli.node;

import io.steeprepl.api.StartProgress;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;

/** One line on a terminal that is drawn again and again: bar, tables, rows, rate, time left. */
final class StartBar implements StartView {
    private static final int WIDTH = 24;
    /** Back to the first column; the rest of the line is wiped after it is drawn. */
    private static final String HOME = "\r";

    private static final String WIPE = "\u001b[K";

    private final Output out;
    private final Rate rate = new Rate(Clock.systemUTC());

    StartBar(Output out) {
        this.out = out;
    }

    @Override
    public void show(StartProgress now) {
        out.progress(HOME + line(now, rate.update(now.rowsDone())) + WIPE);
    }

    @Override
    public void end(StartProgress last) {
        out.progress("\n");
        if (last.state() == StartProgress.State.COMPLETE) {
            out.done(StartLines.summary(last), Map.of());
        }
    }

    /** The line for a rate in rows a second. */
    static String line(StartProgress now, double perSecond) {
        double part = now.rowsTotal() > 0 ? Math.min(1, (double) now.rowsDone() / now.rowsTotal()) : 0;
        int filled = (int) Math.round(part * WIDTH);
        var line = new StringBuilder("[" + "#".repeat(filled) + ".".repeat(WIDTH - filled) + "]");
        line.append(" %3d%%  %d/%d tables".formatted((int) (part * 100), now.tablesDone(), now.tablesTotal()));
        line.append("  %,d rows  %,.0f/s".formatted(now.rowsDone(), perSecond));
        long left = now.rowsTotal() - now.rowsDone();
        if (perSecond >= 1 && left > 0) {
            line.append("  %s left".formatted(span(Duration.ofSeconds((long) (left / perSecond)))));
        }
        String what = Objects.requireNonNullElse(now.currentTable(), Objects.requireNonNullElse(now.phase(), ""));
        return line.append("  ").append(Text.sanitise(what)).toString();
    }

    private static String span(Duration time) {
        return time.toHours() > 0
                ? "%dh%02dm".formatted(time.toHours(), time.toMinutesPart())
                : "%d:%02d".formatted(time.toMinutes(), time.toSecondsPart());
    }

    /** Rows a second, smoothed. */
    private static final class Rate {
        private final Clock clock;
        private Instant at;
        private long rows = -1;
        private double perSecond;

        Rate(Clock clock) {
            this.clock = clock;
            this.at = clock.instant();
        }

        double update(long now) {
            Instant time = clock.instant();
            double seconds = Duration.between(at, time).toMillis() / 1000.0;
            if (rows >= 0 && seconds > 0.2) {
                double current = Math.max(0, now - rows) / seconds;
                perSecond = perSecond == 0 ? current : 0.8 * perSecond + 0.2 * current;
            }
            if (rows < 0 || seconds > 0.2) {
                at = time;
                rows = now;
            }
            return perSecond;
        }
    }
}
