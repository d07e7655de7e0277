package io.steeprepl.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.work.WorkColumns;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class FollowedStartTest {
    private static WorkProgress copying(long tables, long rows, Long left) {
        var stream = new WorkProgress.Stream("shop.orders", rows, 2048);
        return new WorkProgress(
                1,
                "start",
                WorkState.RUNNING,
                "copying",
                25.0,
                "shop.orders",
                tables,
                4L,
                rows,
                1000L,
                2048L,
                8192L,
                1024L,
                left,
                List.of(stream),
                null,
                null,
                null,
                null,
                "a",
                null);
    }

    @Test
    void isShownAsAllWorkIs() {
        var glance = new FollowedStart(1, "").glance(copying(1, 250, 75L));
        assertThat(glance.percent()).isEqualTo(25);
        assertThat(glance.tables()).isEqualTo("1/4");
        assertThat(glance.amounts()).containsExactly("250 rows", "2.0 kB");
        assertThat(glance.rate()).isEqualTo("1.0 kB/s");
        assertThat(glance.left()).isEqualTo(Duration.ofSeconds(75));
        assertThat(glance.streams()).containsExactly("shop.orders  250 rows  2.0 kB");
    }

    @Test
    void isToldToProgramsAsAllWorkIsAndWithItsSource() {
        var columns = new FollowedStart(1, "").columns();
        assertThat(columns.subList(0, columns.size() - 1)).isEqualTo(WorkColumns.PROGRESS);
        assertThat(columns.getLast().value().apply(copying(1, 250, 75L))).isEqualTo("a");
    }
}
