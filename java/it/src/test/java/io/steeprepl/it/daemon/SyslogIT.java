package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The daemon's lines in the system's log. The C library writes to {@code /dev/log}: the daemon has a {@code /dev} of its own, which the
 * rest of the machine does not see, with a socket there that prints what it gets.
 */
@EnabledOnOs(OS.LINUX)
class SyslogIT {
    private static final String LISTENER = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(sys.argv[1])
            s.settimeout(50)
            print('bound', flush=True)
            while True:
                print(s.recv(65536).decode(), flush=True)
            """;
    private static final String OWN_DEVICES = """
            mount -t tmpfs tmpfs "$1" && cp -a /dev/null /dev/zero /dev/random /dev/urandom "$1" && ln -s "$2" "$1/log" &&
            mount --bind "$1" /dev && shift 2 && exec "$@"
            """;

    @TempDir
    private Path folder;

    @Test
    @Timeout(120)
    void linesComeWithNameProcessAndPriority() throws Exception {
        assumeTrue(possible(), "needs python3, unshare, and an account that may mount");
        Path devices = Files.createDirectory(folder.resolve("dev"));
        Path socket = folder.resolve("log");
        Process listener = new ProcessBuilder("python3", "-c", LISTENER, socket.toString()).start();
        try (var heard = new BufferedReader(new InputStreamReader(listener.getInputStream(), StandardCharsets.UTF_8));
                var daemon = new DaemonProcess(
                        folder,
                        "syslog",
                        "  postgresql: {connection: 'host=127.0.0.1 port=1 password=Canary5 dbname=none'}\n"
                                + "  log: {target: syslog}",
                        Map.of())) {
            assertThat(heard.readLine()).isEqualTo("bound");
            daemon.within(List.of(
                            "unshare", "-m", "sh", "-c", OWN_DEVICES, "sh", devices.toString(), socket.toString()))
                    .begin();
            List<String> lines = new ArrayList<>();
            String serves = first(heard, lines, daemon, "runs as process");
            // Facility daemon (3), and the priorities of info (6) and error or warning (3, 4).
            assertThat(serves)
                    .matches("<30>\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d it-[\\w-]+-syslog\\[%d]: \\{\"time\":.*"
                            .formatted(daemon.process().pid()));
            assertThat(DaemonProcess.json(serves.substring(serves.indexOf('{')))
                            .path("level")
                            .asText())
                    .isEqualTo("info");
            assertThat(first(heard, lines, daemon, "no connection to the database"))
                    .matches("<2[78]>.*");
            assertThat(lines).noneMatch(line -> line.contains("Canary5"));
            assertThat(daemon.logText()).as("nothing else is said elsewhere").doesNotContain("runs as process");
        } finally {
            listener.destroyForcibly();
        }
    }

    private static boolean possible() throws InterruptedException {
        try {
            return new ProcessBuilder("sh", "-c", "python3 -V && unshare -m mount -t tmpfs tmpfs /mnt")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** The first line with that text, of those that have been heard or else of those to come. */
    private static String first(BufferedReader heard, List<String> lines, DaemonProcess daemon, String text)
            throws IOException {
        while (lines.stream().noneMatch(line -> line.contains(text))) {
            String line = heard.readLine();
            assertThat(line)
                    .as("%s; heard: %s; its output: %s", text, lines, daemon.logText())
                    .isNotNull();
            lines.add(String.valueOf(line));
        }
        return lines.stream().filter(line -> line.contains(text)).findFirst().orElseThrow();
    }
}
