package io.steeprepl.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.StartProgress;
import io.steeprepl.cli.output.Format;
import io.steeprepl.cli.output.Output;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class StartBarTest {
    private static StartProgress progress(int tables, long rows) {
        return new StartProgress(
                1, StartProgress.State.RUNNING, "copying", tables, 4, "shop.orders", rows, 1000, 0, null, null, null);
    }

    @Test
    void showsTablesRowsRateAndTimeLeft() {
        assertThat(StartBar.line(progress(1, 250), 10))
                .contains("[######.", " 25%", "1/4 tables", "250 rows", "10/s", "1:15 left", "shop.orders");
    }

    @Test
    void saysNothingOfTimeWhileTheRateIsUnknown() {
        assertThat(StartBar.line(progress(0, 0), 0)).doesNotContain("left");
    }

    @Test
    void plainLinesComeOnceAStep() {
        var err = new StringWriter();
        var lines = new StartLines(
                new Output(new PrintWriter(new StringWriter()), new PrintWriter(err), Format.TABLE, false));
        lines.show(progress(1, 1));
        lines.show(progress(1, 2));
        lines.show(progress(2, 3));
        assertThat(err.toString().lines()).hasSize(2);
    }
}
