package io.steeprepl.daemon.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.DatabaseSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A loop that stands still is noticed, and one that is only slow is not. */
class PulseTest {
    private static final DatabaseSettings SETTINGS = ReplSettings.read(
                    Document.read(
                            new ConfigPath(Path.of("c.yaml"), ConfigPath.Source.OPTION),
                            "repl: {postgresql: {check_interval: 2s, check_timeout: 5s}}"),
                    new Surroundings(Map.of(), Path.of("/"), "nobody"))
            .database();

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1);
    private final Pulse pulse = new Pulse(() -> SETTINGS, now::get);

    private void pass(int seconds) {
        now.addAndGet(Duration.ofSeconds(seconds).toNanos());
    }

    @Test
    void allThatMayComeBetweenTwoLooksIsNoSilence() {
        // Writing the audit log, the pause, SELECT 1, the look, and cancelling both.
        pass(2 + 2 + 2 + 5 + 5 + 2);
        assertThat(pulse.silence()).isEmpty();
        pass(8);
        assertThat(pulse.silence()).contains(Duration.ofSeconds(26));
        pulse.step();
        assertThat(pulse.silence()).isPresent();
        pulse.looked();
        assertThat(pulse.silence()).isEmpty();
        assertThat(pulse.sinceStep()).isZero();
    }
}
