package io.steeprepl.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.service.StatusCommand.Unanswered;
import io.steeprepl.daemon.service.ServiceState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is said of a daemon that gives no answer: nothing that is not known. */
class StatusTextTest {
    private static final FoundService NONE = new FoundService(
            false, new ServiceState(false, "inactive (dead)", Optional.empty(), Optional.empty(), Optional.empty()));
    private static final FoundService RUNS = new FoundService(
            true,
            new ServiceState(true, "active (running)", Optional.of(47L), Optional.of("postgres"), Optional.empty()));
    private static final Path SOCKET = Path.of("/tmp/s");

    private static String text(List<FoundService> services, String why, Optional<String> owner) {
        return StatusText.of(services, Optional.empty(), new Unanswered(SOCKET, why, owner));
    }

    @Test
    void aServiceOfAnotherAccountRunsAlthoughItsSocketIsNotForUs() {
        assertThat(text(List.of(RUNS, NONE), "not trusted", Optional.of("postgres")))
                .isEqualToNormalizingNewlines("""
                        Service:    installed for the machine, active (running), as postgres
                        Daemon:     runs as process 47, and is not asked; its socket /tmp/s is for postgres and root: sudo steep-repl status
                        """);
    }

    @Test
    void oneThatRunsAndDoesNotAnswerIsNotCalledEnded() {
        assertThat(text(List.of(RUNS, NONE), "no answer within 5 s", Optional.empty()))
                .contains("Daemon:     runs as process 47, and is silent: no answer within 5 s");
    }

    @Test
    void whatIsWrongWithTheDatabaseIsSaidOnce() throws IOException {
        var daemon = new ObjectMapper().readTree("""
                {"pid": 7, "version": "1", "uptime_seconds": 3, "status": "unhealthy", "node": null, "reasons": ["gone"],
                 "components": {"postgresql": {"state": "disconnected", "reason": "gone"}}}""");
        assertThat(StatusText.with(List.of(), daemon)).isEqualToNormalizingNewlines("""
                        Daemon:     running, process 7, version 1, for 0 min 3 s
                        PostgreSQL: disconnected: gone
                        Node:       not known yet, unhealthy
                        """);
    }

    @Test
    void whereThereIsNothingThatIsSaid() {
        assertThat(text(List.of(NONE), "no daemon listens at /tmp/s", Optional.empty()))
                .isEqualToNormalizingNewlines("""
                        Service:    not installed (inactive (dead))
                        Daemon:     not running: no daemon listens at /tmp/s
                        """);
        assertThat(text(List.of(NONE), "not trusted", Optional.of("ann")))
                .contains("Daemon:     not asked; its socket /tmp/s is for ann and root");
    }
}
