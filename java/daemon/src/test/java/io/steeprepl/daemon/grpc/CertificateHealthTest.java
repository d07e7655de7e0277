package io.steeprepl.daemon.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A certificate that comes to its end: said before, and no health afterwards. */
class CertificateHealthTest {
    private static final Instant END = Instant.parse("2028-06-01T00:00:00Z");
    private static final Validity DATES = new Validity(END.minus(Duration.ofDays(825)), END);

    private final CertificateHealth health = new CertificateHealth(() -> Optional.of(DATES));

    private static Instant before(int days) {
        return END.minus(Duration.ofDays(days));
    }

    @Test
    void whileThereIsTimeNothingIsSaid() {
        assertThat(health.problem(before(31))).isEmpty();
        assertThat(health.warning(before(31))).isEmpty();
        assertThat(DATES.problem(before(31))).isEmpty();
    }

    @Test
    void fromAMonthBeforeItIsSaid() {
        assertThat(health.warning(before(30)))
                .hasValueSatisfying(text -> assertThat(text).contains("expires at 2028-06-01T00:00:00Z, in 30 days"));
        assertThat(health.problem(before(1))).isEmpty();
    }

    @Test
    void afterwardsNobodyIsServed() {
        Instant after = END.plusSeconds(1);
        assertThat(health.problem(after))
                .hasValueSatisfying(text -> assertThat(text).contains("has expired at 2028-06-01T00:00:00Z"));
        assertThat(health.warning(after)).isEmpty();
        assertThat(DATES.problem(after)).isPresent();
        assertThat(DATES.problem(before(1000))).isPresent();
    }

    @Test
    void filesThatCannotBeUsedAreRememberedUntilOthersCan() {
        health.refused("there is no such file");
        assertThat(health.warning(before(100)))
                .hasValueSatisfying(
                        text -> assertThat(text).contains("not read again").endsWith("there is no such file"));
        health.read();
        assertThat(health.warning(before(100))).isEmpty();
    }

    @Test
    void withoutACertificateThereIsNothingToSay() {
        var none = new CertificateHealth(Optional::empty);
        assertThat(none.problem(END)).isEmpty();
        assertThat(none.warning(END)).isEmpty();
    }
}
