package io.steeprepl.remote.windows;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Who may open a pipe, and whose pipe is trusted. */
class PipeTrustTest {
    private static final String ME = "S-1-5-21-1-2-3-1001";
    private static final PipeName NAME = new PipeName(PipeName.FOLDER + "steep-repl-paris");

    /** What {@code sc.exe showsid TrustedInstaller} says on every Windows. */
    @Test
    void theAccountOfAServiceFollowsFromItsName() {
        assertThat(ServiceSid.of("TrustedInstaller"))
                .isEqualTo("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    }

    @Test
    void onlyThisAccountTheSystemAdministratorsAndTheServiceItselfAreTrusted() {
        assertThat(PipeTrust.trusts(ME, ME, NAME)).isTrue();
        assertThat(PipeTrust.trusts("S-1-5-18", ME, NAME)).isTrue();
        assertThat(PipeTrust.trusts("S-1-5-32-544", ME, NAME)).isTrue();
        assertThat(PipeTrust.trusts(ServiceSid.of("steep-repl-paris"), ME, NAME))
                .isTrue();
        assertThat(PipeTrust.trusts(ServiceSid.of("steep-repl"), ME, NAME)).isFalse();
        assertThat(PipeTrust.trusts("S-1-5-21-1-2-3-1002", ME, NAME)).isFalse();
        assertThat(PipeTrust.trusts("S-1-5-19", ME, NAME)).as("LocalService").isFalse();
        assertThat(PipeTrust.trusts("S-1-5-20", ME, NAME)).as("NetworkService").isFalse();
    }

    @Test
    void nobodyElseMayOpenIt() {
        assertThat(PipeTrust.descriptor(ME)).isEqualTo("O:" + ME + "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + ME + ")");
    }
}
