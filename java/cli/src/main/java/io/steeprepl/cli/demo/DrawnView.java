package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.time.Duration;
import java.util.List;

/** A small table on a terminal, drawn again in place. */
final class DrawnView implements View {
    private static final String LINE = "\r%s\u001b[K\n";
    private static final String HEADINGS =
            "  %-8s %14s %10s %14s %12s".formatted("", "ROWS WRITTEN", "ROWS/S", "QUEUE", "LAG");

    private final Output out;
    private int drawn;

    DrawnView(Output out) {
        this.out = out;
    }

    @Override
    public Duration every() {
        return Duration.ofMillis(250);
    }

    @Override
    public void show(Duration after, List<Sample> offices) {
        var text = new StringBuilder(drawn == 0 ? "" : "\u001b[%dA".formatted(drawn));
        text.append(LINE.formatted("\u001b[1m" + HEADINGS + "\u001b[0m"));
        for (Sample s : offices) {
            text.append(LINE.formatted("  %-8s %,14d %,10.0f %14s %12s"
                    .formatted(s.office(), s.rows(), s.perSecond(), Text.bytes(s.queueBytes()), s.lagText())));
        }
        out.progress(text.toString());
        drawn = offices.size() + 1;
    }
}
