package io.steeprepl.daemon.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a socket that prints what it is told, as systemd's would be. */
class NotifyTest {
    private static final String LISTENER = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(sys.argv[1])
            s.settimeout(20)
            print('bound', flush=True)
            while True:
                print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
            """;

    @TempDir
    private Path folder;

    @Test
    void systemdHearsOfReadinessWatchdogReloadAndEnd() throws IOException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "systemd is Linux's");
        Path socket = folder.resolve("notify");
        Process listener;
        try {
            listener = new ProcessBuilder("python3", "-c", LISTENER, socket.toString()).start();
        } catch (IOException e) {
            assumeTrue(false, "this machine has no python3");
            return;
        }
        try (BufferedReader heard =
                new BufferedReader(new InputStreamReader(listener.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(heard.readLine()).isEqualTo("bound");
            var alive = new AtomicBoolean(true);
            Notify notify =
                    Notify.ofProcess(Map.of("NOTIFY_SOCKET", socket.toString(), "WATCHDOG_USEC", "300000"), alive::get);
            notify.ready();
            assertThat(heard.readLine())
                    .isEqualTo("READY=1 MAINPID=" + ProcessHandle.current().pid());
            assertThat(heard.readLine()).isEqualTo("WATCHDOG=1");
            assertThat(heard.readLine()).isEqualTo("WATCHDOG=1");
            alive.set(false);
            notify.reloading();
            assertThat(until(heard, "RELOADING")).startsWith("RELOADING=1 MONOTONIC_USEC=");
            // One may have been under way; ten would come in that time.
            assertThat(heardWithin(heard, Duration.ofSeconds(1))).isLessThanOrEqualTo(1);
            notify.stopping(Duration.ofSeconds(90));
            assertThat(until(heard, "STOPPING")).isEqualTo("STOPPING=1 EXTEND_TIMEOUT_USEC=90000000");
        } finally {
            listener.destroyForcibly();
        }
    }

    private static int heardWithin(BufferedReader heard, Duration time) throws IOException {
        int lines = 0;
        Instant until = Instant.now().plus(time);
        while (Instant.now().isBefore(until)) {
            if (heard.ready()) {
                heard.readLine();
                lines++;
            }
            Thread.onSpinWait();
        }
        return lines;
    }

    private static String until(BufferedReader heard, String word) throws IOException {
        String line = heard.readLine();
        while (line != null && !line.startsWith(word)) {
            assertThat(line).isEqualTo("WATCHDOG=1");
            line = heard.readLine();
        }
        return String.valueOf(line);
    }

    @Test
    void withoutSystemdNobodyIsTold() {
        Notify notify = Notify.ofProcess(Map.of(), () -> true);
        notify.ready();
        notify.stopping(Duration.ofSeconds(90));
    }
}
