package io.steeprepl.daemon.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What systemd says of a service. */
class SystemdTest {
    @Test
    void theFileOfAServiceIsFoundInWhatSystemdSays() {
        assertThat(
                        Systemd.config(
                                "{ path=/usr/bin/java ; argv[]=/usr/bin/java -cp /x/* M run --name shop --config /etc/steep/my shop.yaml ; ignore_errors=no ; start_time=[n/a] }"))
                .contains(Path.of("/etc/steep/my shop.yaml"));
        assertThat(Systemd.config("{ path=/usr/bin/java ; argv[]=/usr/bin/java M run --name shop ; ignore_errors=no }"))
                .isEqualTo(Optional.empty());
    }
}
