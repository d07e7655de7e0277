package io.steeprepl.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
    @ParameterizedTest
    @ValueSource(strings = {"0s", "500ms", "90s", "5m", "2h", "45d", "2y"})
    void whatIsWrittenIsReadAgain(String text) {
        assertThat(Durations.text(Durations.parse(text))).isEqualTo(text);
    }
}
