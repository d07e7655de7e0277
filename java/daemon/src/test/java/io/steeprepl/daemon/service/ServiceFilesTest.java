package io.steeprepl.daemon.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is generated is read by the platform's own parser, where this machine has it. */
class ServiceFilesTest {
    private static final String AWKWARD = "/etc/steep/it's 100% \"mine\" $HOME & <co>.yaml";

    @TempDir
    private Path folder;

    private static Program program(boolean system, String java) {
        List<String> command = Program.command(
                Path.of(java),
                "/opt/a.jar:/opt/b.jar",
                List.of("-Dx=y"),
                Optional.of(Path.of("/opt/aot/daemon")),
                "io.steeprepl.cli.Main",
                "shop",
                Optional.of(Path.of(AWKWARD)));
        return new Program(
                "shop",
                command,
                Optional.of("root"),
                system,
                Path.of("/home/ann"),
                new Places(
                        List.of(Path.of("/tmp")), Optional.of(Path.of("steep-repl/a b")), List.of(Path.of(AWKWARD))));
    }

    private String run(List<String> command) throws IOException, InterruptedException {
        Process process;
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            // A user's systemd-analyze asks for it even where no systemd runs.
            builder.environment().put("XDG_RUNTIME_DIR", folder.toString());
            process = builder.start();
        } catch (IOException e) {
            assumeTrue(false, "this machine has no " + command.getFirst());
            throw e;
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void systemdFindsNothingToSayAboutTheUnit(boolean system) throws IOException, InterruptedException {
        Program program = program(system, "/bin/true");
        Path unit = folder.resolve(SystemdUnit.name(program));
        Files.writeString(unit, SystemdUnit.text(program));
        assertThat(run(List.of(
                        "systemd-analyze", system ? "--system" : "--user", "--man=no", "verify", unit.toString())))
                .isEmpty();
    }

    @Test
    void theUnitRunsTheCommandAsItIsAndUnderTheAccount() {
        String unit = SystemdUnit.text(program(true, "/usr/bin/java"));
        assertThat(unit)
                .contains(
                        "Type=notify",
                        "WatchdogSec=30",
                        "Restart=always",
                        "User=root",
                        "ReadWritePaths=/tmp\n",
                        "RuntimeDirectory=\"steep-repl/a b\"\n",
                        "RequiresMountsFor=\"/etc/steep/it's 100%% \\\"mine\\\" $HOME & <co>.yaml\"\n",
                        "\"/etc/steep/it's 100%% \\\"mine\\\" $$HOME & <co>.yaml\"");
        assertThat(SystemdUnit.place(program(true, "x"))).hasToString("/etc/systemd/system/steep-repl-shop.service");
        assertThat(SystemdUnit.place(program(false, "x")))
                .hasToString("/home/ann/.config/systemd/user/steep-repl-shop.service");
        assertThat(SystemdUnit.text(program(false, "x")))
                .doesNotContain("User=", "ProtectSystem", "RuntimeDirectory", "RequiresMountsFor");
    }

    @Test
    void thePropertyListIsReadBackAsItWasMeant() throws IOException, InterruptedException {
        Path list = folder.resolve("list.plist");
        Files.writeString(list, LaunchdPlist.text(program(true, "/usr/bin/java")));
        String read = run(List.of(
                "python3",
                "-c",
                "import plistlib,sys; d=plistlib.load(open(sys.argv[1],'rb')); print(d['Label'], d['UserName'], d['KeepAlive'], d['RunAtLoad']); print(d['ProgramArguments'][-1])",
                list.toString()));
        assertThat(read.lines()).containsExactly("io.steeprepl.steep-repl-shop root True True", AWKWARD);
    }

    @Test
    void procrunGetsOneParameterAWordAndAWayToEndIt() {
        Program program = new Program(
                "shop",
                List.of(
                        "C:\\java.exe",
                        "-XX:AOTCache=d",
                        "-cp",
                        "a.jar;b.jar",
                        "Main",
                        "run",
                        "--name",
                        "shop",
                        "--config",
                        "c 1"),
                Optional.empty(),
                true,
                Path.of("/"),
                Places.NONE);
        assertThat(Procrun.install("prunsrv.exe", program, Path.of("logs")))
                .contains(
                        "//US//steep-repl-shop",
                        "--StartImage=C:\\java.exe",
                        "--StartParams=-XX:AOTCache=d#-cp#'a.jar;b.jar'#Main#run#--name#shop#--config#c 1",
                        "--StopImage=C:\\java.exe",
                        "--StopParams=-cp#'a.jar;b.jar'#Main#stop#--daemon#--name#shop#--config#c 1",
                        "--LogPath=logs",
                        "--ServiceUser=NT SERVICE\\steep-repl-shop");
        assertThat(Procrun.eventSource(program)).anyMatch(word -> word.endsWith("\\Application\\steep-repl-shop"));
    }

    @Test
    void servicesRunTheDaemonWithTheFlagsOfTheForeground() throws IOException {
        String script = Files.readString(Path.of(System.getProperty("steeprepl.home", "../.."), "build", "java.sh"));
        assertThat(List.of(script.split("[\\s()]+"))).containsAll(Program.FLAGS);
    }
}
