package io.steeprepl.cli.progress;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkProgress.Stream;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Format;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.work.FollowedWork;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ViewTest {
    private final FollowedWork work = new FollowedWork(3, "snapshot");
    private final StringWriter text = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Instant now = Instant.EPOCH.plusSeconds(1000);

    private Output output(Format format) {
        return new Output(new PrintWriter(text), new PrintWriter(err), format, false);
    }

    private static WorkProgress at(String phase, @Nullable Double percent, List<Stream> streams) {
        return new WorkProgress(
                3,
                "snapshot",
                percent == null ? WorkState.PENDING : WorkState.RUNNING,
                phase,
                percent,
                streams.isEmpty() ? null : streams.getFirst().table(),
                percent == null ? null : 1L,
                percent == null ? null : 4L,
                percent == null ? null : 250L,
                null,
                percent == null ? null : 5L << 20,
                null,
                percent == null ? null : 1L << 20,
                percent == null ? null : 75L,
                streams,
                null,
                null,
                null,
                null,
                null,
                null);
    }

    @Test
    void theBarTellsPercentTablesRowsRateAndTimeLeft() {
        assertThat(work.glance(at("copying", 25.0, List.of())).bar())
                .isEqualTo(
                        "[######..................]  25%  1/4 tables  250 rows  5.0 MB  1.0 MB/s  1:15 left  copying");
        assertThat(work.glance(at("waiting", null, List.of())).bar())
                .isEqualTo("[........................]       waiting");
    }

    @Test
    void streamsStandBelowTheBarAndAreDrawnOver() {
        var bar = new BarView<>(work, output(Format.TABLE));
        bar.show(at("copying", 25.0, List.of(new Stream("shop.orders", 20, 1 << 20), new Stream("a\nb", 1, 10))));
        assertThat(err.toString())
                .contains("\n  shop.orders  20 rows  1.0 MB\u001b[K\n  a\\nb  1 rows  10 B\u001b[K\u001b[J");
        err.getBuffer().setLength(0);
        bar.show(at("copying", 50.0, List.of(new Stream("shop.orders", 40, 2 << 20))));
        assertThat(err.toString()).startsWith("\r\u001b[2A").contains(" 50%");
        err.getBuffer().setLength(0);
        bar.say("something else");
        assertThat(err.toString()).isEqualTo("\r\u001b[1A\u001b[Jsomething else" + System.lineSeparator());
        err.getBuffer().setLength(0);
        bar.pause();
        bar.show(at("copying", 60.0, List.of()));
        assertThat(err.toString()).doesNotContain("60%");
        bar.resume();
        bar.show(at("copying", 70.0, List.of()));
        assertThat(err.toString()).contains("70%");
    }

    @Test
    void plainLinesComeAtEachPhaseAndEveryFewSeconds() {
        var lines = new LinesView<>(work, output(Format.TABLE), () -> now);
        lines.show(at("waiting", null, List.of()));
        lines.show(at("copying", 25.0, List.of()));
        lines.show(at("copying", 26.0, List.of()));
        assertThat(err.toString().lines())
                .containsExactly("waiting", "copying: 25%, 1/4 tables, 250 rows, 5.0 MB, 1.0 MB/s, 1:15 left");
        now = now.plusSeconds(6);
        lines.show(at("copying", 25.0, List.of()));
        assertThat(err.toString().lines()).as("nothing has changed").hasSize(2);
        lines.show(at("copying", 27.0, List.of()));
        assertThat(err.toString().lines()).hasSize(3);
    }

    @Test
    void jsonHasOneObjectForEachChange() {
        var json = new JsonView<>(work, output(Format.JSON));
        WorkProgress first = at("copying", 25.0, List.of(new Stream("shop.orders", 20, 10)));
        json.show(first);
        json.show(first);
        json.end(at("complete", 100.0, List.of()));
        assertThat(text.toString().lines()).hasSize(2).first().asString().contains("""
            "phase":"copying","percent":25.0\
            """, """
            "streams":[{"table":"shop.orders","rows":20,"bytes":10}]\
            """);
    }
}
