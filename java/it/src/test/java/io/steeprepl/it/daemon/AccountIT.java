package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.steeprepl.cli.Main;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A daemon and its users under an account that has a number and no name, as containers have it. */
class AccountIT {
    private static final List<String> UNNAMED = List.of("unshare", "-U", "--map-user=54321", "--map-group=54321");
    private static final String NO_DATABASE = "  postgresql: {connection: 'host=127.0.0.1 port=1', reconnect_max: 1s}";

    private record Ended(int code, String said) {}

    @TempDir
    private Path folder;

    @BeforeAll
    static void canBe() throws IOException, InterruptedException {
        boolean can;
        try {
            can = run(List.of("id", "-u")).said().equals("54321");
        } catch (IOException e) {
            can = false;
        }
        assumeTrue(can, "needs user namespaces");
    }

    private static Ended run(List<String> command) throws IOException, InterruptedException {
        List<String> whole = new ArrayList<>(UNNAMED);
        whole.addAll(command);
        Process process = new ProcessBuilder(whole).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), said.strip());
    }

    private static Ended steepRepl(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
        command.addAll(List.of(words));
        return run(command);
    }

    @Test
    void anAccountWithoutANameIsServed() throws IOException, InterruptedException {
        try (DaemonProcess daemon = new DaemonProcess(folder, "unnamed", NO_DATABASE, Map.of())
                .within(UNNAMED)
                .start()) {
            // This process is the same account by its number.
            assertThat(daemon.call("status.get").path("pid").asLong()).isPositive();
            Ended status = steepRepl("status", "--socket", daemon.socket().toString());
            assertThat(status.code()).as(status.said()).isZero();
            assertThat(status.said()).contains("Daemon:     running, process ");
            Ended list = steepRepl("--remote", daemon.socket().toString(), "node", "list");
            assertThat(list.said()).contains("the daemon has no connection to its database");
            daemon.signal("KILL");
            daemon.ended();
            assertThat(daemon.socket()).exists();
            daemon.start();
            daemon.await("the second one", () -> daemon.timesLogged("runs as process") == 2);
            assertThat(daemon.call("status.get").path("pid").asLong()).isPositive();
            assertThat(daemon.term()).isZero();
        }
    }

    /** It may well run: that its socket is for others says nothing about it. */
    @Test
    void ofASocketForOthersStatusSaysSo() throws IOException, InterruptedException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root, to give a socket away");
        Path socket = folder.resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Files.setAttribute(socket, "unix:uid", 54_322);
            Path config = Files.writeString(folder.resolve("config.yaml"), "repl: {ipc: {path: s}}");
            Ended status = steepRepl("--config", config.toString(), "status", "--name", "it-others");
            assertThat(status.code()).as(status.said()).isEqualTo(1);
            assertThat(status.said())
                    .contains("Service:    not installed")
                    .contains("Daemon:     not asked; its socket %s is for ".formatted(socket))
                    .contains("and root: sudo steep-repl status")
                    .doesNotContain("not running");
            Ended json = steepRepl("--config", config.toString(), "status", "--name", "it-others", "-o", "json");
            assertThat(json.said()).contains("\"answers\":false", "\"socket\":\"" + socket + "\"");
            Ended none = steepRepl("status", "--socket", folder.resolve("none").toString());
            assertThat(none.said()).contains("Daemon:     not running: no daemon listens at ");
        }
    }
}
