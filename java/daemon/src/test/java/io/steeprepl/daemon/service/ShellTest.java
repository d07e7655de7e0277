package io.steeprepl.daemon.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.steeprepl.api.ApiException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(OS.WINDOWS)
@Timeout(60)
class ShellTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration LONG = Duration.ofSeconds(20);

    @Test
    void whatItSaysAndHowItEndsIsHandedOver() {
        assertThat(Shell.run(List.of("sh", "-c", "echo one; echo two >&2; exit 3"), LONG))
                .isEqualTo(new Shell.Ended(3, "one\ntwo"));
        assertThatThrownBy(() -> Shell.must(List.of("sh", "-c", "echo why; exit 1")))
                .isInstanceOfSatisfying(
                        ApiException.Failed.class, e -> assertThat(e.detail()).isEqualTo("why"));
    }

    @Test
    void oneThatHangsIsKilledAtTheLimit(@TempDir Path folder) {
        Instant begun = Instant.now();
        // Its child is killed, too.
        Path late = folder.resolve("late");
        assertThatThrownBy(() -> Shell.run(
                        List.of("sh", "-c", "echo waiting; (sleep 30; touch '%s'); true".formatted(late)), SECOND))
                .isInstanceOfSatisfying(
                        ApiException.Failed.class,
                        e -> assertThat(e.detail())
                                .isEqualTo("it did not end within 1 s and was killed; it said: waiting"));
        assertThat(Duration.between(begun, Instant.now())).isLessThan(LONG);
        // Long before it would end by itself.
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(ProcessHandle.current()
                                .descendants()
                                .map(child -> String.join(
                                        " ", child.info().arguments().orElse(new String[0]))))
                        .noneMatch(arguments -> arguments.contains(late.toString())));
    }

    @Test
    void oneThatLeavesAnotherBehindIsNotWaitedForLonger() {
        Instant begun = Instant.now();
        assertThat(Shell.run(List.of("sh", "-c", "sleep 25 & echo done"), LONG)).isEqualTo(new Shell.Ended(0, "done"));
        assertThat(Duration.between(begun, Instant.now())).isLessThan(LONG);
    }
}
