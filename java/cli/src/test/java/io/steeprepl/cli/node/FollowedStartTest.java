package io.steeprepl.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.StartProgress;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FollowedStartTest {
    private static StartProgress progress(int tables, long rows) {
        return new StartProgress(
                1, StartProgress.State.RUNNING, "copying", tables, 4, "shop.orders", rows, 1000, 0, null, null, null);
    }

    @Test
    void showsTablesRowsRateAndTimeLeft() {
        var glance = FollowedStart.glance(progress(1, 250), 10);
        assertThat(glance.percent()).isEqualTo(25);
        assertThat(glance.tables()).isEqualTo("1/4");
        assertThat(glance.amounts()).containsExactly("250 rows");
        assertThat(glance.rate()).isEqualTo("10 rows/s");
        assertThat(glance.left()).isEqualTo(Duration.ofSeconds(75));
        assertThat(glance.phase()).isEqualTo("copying shop.orders");
    }

    @Test
    void saysNothingOfTimeWhileTheRateIsUnknown() {
        assertThat(FollowedStart.glance(progress(0, 0), 0).left()).isNull();
    }
}
