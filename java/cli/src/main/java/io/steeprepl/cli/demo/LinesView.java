package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.time.Duration;
import java.util.List;

/** A plain line a second for each, for files, pipes and simple terminals. */
final class LinesView implements View {
    private final Output out;

    LinesView(Output out) {
        this.out = out;
    }

    @Override
    public Duration every() {
        return Duration.ofSeconds(1);
    }

    @Override
    public void show(Duration after, List<Sample> offices) {
        for (Sample s : offices) {
            out.note("  %2d s  %s  %,7d rows  %,6.0f/s  queue %8s  lag %7s"
                    .formatted(
                            Math.round(after.toMillis() / 1000.0),
                            s.office(),
                            s.rows(),
                            s.perSecond(),
                            Text.bytes(s.queueBytes()),
                            s.lagText()));
        }
    }
}
