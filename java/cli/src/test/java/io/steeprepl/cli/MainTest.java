package io.steeprepl.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.Version;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(args);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "node",
                "nod",
                "health --x",
                "audit prune",
                "-o xml version",
                "node start a",
                "-c postgresql://u:geheim@h/d?sslMode=x health",
                "health -c host=h,i\u00a0port=1,2,3",
                "table add",
                "table add a.b.c.d",
                "audit list --since 2q",
                "audit list --limit many",
                "conflict list --since soon",
                "conflict list --table a.b.c",
                "conflict show",
                "conflict show seven",
                "snapshot",
                "snapshot generate",
                "snapshot generate /x --parallel many",
                "snapshot apply",
                "snapshot delete seven",
                "snapshot progress --follow",
                "work",
                "work list --limit 0",
                "work cancel",
                "work retry seven",
                "--remote h:1 start",
                "--remote h:1 stop",
                "stop --socket /tmp/s",
                "-c host=h restart",
                "-c host=h status",
                "--remote h:1 status --socket /tmp/s",
                "completion fish",
                "sandbox start --nodes 0",
                "sandbox start --nodes -1",
                "sandbox start --nodes 10",
                "sandbox start --nodes two"
            })
    void wrongUsageIsTwo(String line) {
        String[] args = line.isEmpty()
                ? new String[0]
                : line.replace("h,i\u00a0", "h,i ").split(" ", -1);
        assertThat(run(args)).isEqualTo(2);
        assertThat(err.toString())
                .startsWith("error: ")
                .doesNotContain("geheim")
                .doesNotContain("\tat ");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aDaemonIsNotRunElsewhere() {
        assertThat(run("--config", "/nowhere/config.yaml", "--remote", "h:1", "run"))
                .isEqualTo(2);
        assertThat(err.toString()).startsWith("error: --remote names a daemon to ask");
    }

    @Test
    void whatIsWrongDoesNotScrollAway() {
        assertThat(run("health", "--zzz")).isEqualTo(2);
        assertThat(run("--socket", "/tmp/s", "status")).isEqualTo(2);
        assertThat(err.toString().lines())
                .hasSizeLessThan(16)
                .contains(
                        "error: Unknown option: '--zzz'",
                        "hint: steep-repl health --help",
                        "hint: options that not every command has stand after the command; steep-repl --help");
        assertThat(run("node")).as("the commands that there are").isEqualTo(2);
        assertThat(err.toString()).contains("unregister");
    }

    @Test
    void noConnectionIsSix() {
        assertThat(run("-c", "host=127.0.0.1 port=1 password=geheim connect_timeout=5", "health"))
                .isEqualTo(6);
        assertThat(err.toString())
                .contains("error: cannot connect to", "detail: 127.0.0.1:1", "hint: ")
                .doesNotContain("geheim")
                .doesNotContain("\tat ");
    }

    @Test
    void theStackTraceComesWithVerbose() {
        assertThat(run("health", "--verbose", "-c", "host=127.0.0.1 port=1")).isEqualTo(6);
        assertThat(err.toString()).contains("\tat ");
    }

    @Test
    void everyServerThatWasTriedIsNamed() {
        assertThat(run("-c", "host=127.0.0.1,127.0.0.1 port=1,2", "health")).isEqualTo(6);
        assertThat(err.toString()).contains("127.0.0.1:1: ", "127.0.0.1:2: ");
    }

    @Test
    void commonOptionsStandBeforeOrAfterTheCommand() {
        assertThat(run("-o", "json", "version")).isZero();
        assertThat(run("version", "-o", "json")).isZero();
        assertThat(out.toString().lines().distinct())
                .singleElement()
                .asString()
                .startsWith("{\"version\":\"" + Version.CURRENT + "\"");
    }

    @Test
    void theVersionIsThatOfTheBuild() throws IOException {
        Path pom = Path.of(System.getProperty("steeprepl.home", "../..")).resolve("pom.xml");
        assertThat(Files.readString(pom)).contains("<version>" + Version.CURRENT + "</version>");
    }

    @Test
    void everyHelpTextHasAnExampleAndTheExitCodes() {
        List<CommandLine> commands = new ArrayList<>(List.of(Main.commandLine()));
        for (int i = 0; i < commands.size(); i++) {
            CommandLine command = commands.get(i);
            commands.addAll(command.getSubcommands().values());
            assertThat(command.getUsageMessage())
                    .as(command.getCommandSpec().qualifiedName())
                    .containsPattern("Example:\\R +(sudo )?(source <\\()?steep-repl ")
                    .contains("Exit codes:", "6   cannot connect");
        }
        assertThat(commands).hasSizeGreaterThan(20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh"})
    void completionKnowsTheCommands(String shell) {
        assertThat(run("completion", shell)).isZero();
        assertThat(out.toString()).contains("subscription", "unregister");
    }

    @Test
    void theCommandsAreListedByTheirOwnNames() {
        assertThat(TopCommands.byName())
                .hasSizeGreaterThan(20)
                .allSatisfy((name, command) ->
                        assertThat(command.getAnnotation(Command.class).name()).isEqualTo(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--help",
                "-o json version",
                "version -o json",
                "version version",
                "version bogus",
                "bogus version",
                "bogus",
                "heallth",
                "-o xml version",
                "-c health",
                "-c health version --x",
                "node",
                "nod",
                "node --help",
                "health --help",
                "conflict list --since soon",
                "--remote h:1 -c x health",
                "completion bash"
            })
    void whatIsLeftOutMakesNoDifference(String line) {
        String[] args = line.isEmpty() ? new String[0] : line.split(" ", -1);
        int whole = run(args);
        String said = out + "\n--\n" + err;
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        assertThat(Main.quick(args)
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(err))
                        .execute(args))
                .isEqualTo(whole);
        assertThat(out + "\n--\n" + err).isEqualTo(said);
    }
}
