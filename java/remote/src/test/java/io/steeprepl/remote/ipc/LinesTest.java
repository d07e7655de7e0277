package io.steeprepl.remote.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Lines out of bytes: whoever sends one without an end takes no more memory than the limit. */
class LinesTest {
    private final AtomicInteger begun = new AtomicInteger();

    private Lines lines(String text, int longest) {
        var in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        return new Lines(Channels.newChannel(in), longest, begun::incrementAndGet);
    }

    @Test
    void linesComeOneByOneAndWhatHasNoEndIsNone() throws IOException {
        Lines lines = lines("first\n\nzwei \u20ac\nunfinished", 100);
        assertThat(lines.next()).isEqualTo("first");
        assertThat(lines.next()).isEmpty();
        assertThat(lines.more()).isTrue();
        assertThat(lines.next()).isEqualTo("zwei \u20ac");
        assertThat(begun).hasValue(0);
        assertThat(lines.next()).isNull();
        assertThat(begun).hasPositiveValue();
        assertThat(lines.more()).isFalse();
    }

    @Test
    void aLineThatIsTooLongIsRefused() throws IOException {
        assertThat(lines("x".repeat(1000) + "\n", 1000).next()).hasSize(1000);
        Lines endless = lines("x".repeat(1_000_000), 1000);
        assertThatThrownBy(endless::next).isInstanceOf(Lines.TooLong.class).hasMessageContaining("1000 bytes");
    }
}
