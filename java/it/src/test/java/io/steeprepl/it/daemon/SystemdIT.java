package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.steeprepl.cli.Main;
import io.steeprepl.testkit.Cluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real systemd runs the daemon, where this machine has the program and lets root have a mount namespace for it. */
class SystemdIT {
    private static final Path SYSTEMD = Stream.of("/lib/systemd/systemd", "/usr/lib/systemd/systemd")
            .map(Path::of)
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(Path.of("none"));

    @TempDir
    private Path folder;

    private static boolean canHaveANamespace() throws IOException, InterruptedException {
        try {
            return new ProcessBuilder(
                                    "unshare",
                                    "-m",
                                    "--propagation",
                                    "private",
                                    "mount",
                                    "-t",
                                    "tmpfs",
                                    "tmpfs",
                                    "/run")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void systemdInstallsStartsWatchesAndEndsIt() throws IOException, InterruptedException {
        assumeTrue(
                Files.isExecutable(SYSTEMD) && "root".equals(System.getProperty("user.name")) && canHaveANamespace(),
                "needs systemd, root and a mount namespace");
        Path script = folder.resolve("systemd.sh");
        try (var in = Objects.requireNonNull(SystemdIT.class.getResourceAsStream("systemd.sh"));
                Cluster cluster = Cluster.start(1)) {
            Files.copy(in, script);
            Files.writeString(
                    folder.resolve("sd.yaml"),
                    "repl: {postgresql: {connection: '%s'}, ipc: {path: %s}, http: {port: %d}}\n"
                            .formatted(cluster.node(0).uri(), folder.resolve("sd.sock"), DaemonProcess.freePort()));
            List<String> command = new ArrayList<>(List.of(
                    "unshare",
                    "-m",
                    "--propagation",
                    "private",
                    "bash",
                    script.toString(),
                    SYSTEMD.toString(),
                    folder.toString(),
                    "3"));
            command.addAll(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                    Main.class.getName()));
            Process run = new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            run.waitFor();
            assertThat(said.lines())
                    .as(Files.readString(folder.resolve("systemd.log")))
                    .containsExactly(
                            "install 0",
                            "start 0 active",
                            "status 0 installed for this account, active (running) 1",
                            "killed: started again 1",
                            "hung: started again 2",
                            "reload 0",
                            "stop --daemon 0",
                            "stop 0 inactive 0",
                            "wrong configuration 1 failed 2",
                            "uninstall 0 0");
        }
    }
}
