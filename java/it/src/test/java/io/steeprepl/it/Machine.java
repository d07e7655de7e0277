package io.steeprepl.it;

import io.steeprepl.testkit.Binaries;
import io.steeprepl.testkit.Server;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * One of the guide's machines: an ordinary server, its administrator's shell, and stand-ins on the path for what a test
 * machine does not have or what belongs to a whole machine: sudo, hostname, ./steep-repl.
 */
final class Machine {
    final String name;
    final TestNode node;
    private final Server server;
    private final Path work;
    private final Path home;
    private final Binaries binaries;

    Machine(String name, Folder folder, Path work, Binaries binaries) throws IOException {
        this.name = name;
        this.work = work;
        this.binaries = binaries;
        Path own = folder.resolve(name);
        home = own.resolve("home");
        server = folder.keep(Server.plain(own, binaries).withHome("home")).start();
        node = new TestNode(name, server, "shop");
        // The test's own door, and the one that Debian leaves open for the server's own account.
        Files.writeString(server.dataDir().resolve("pg_hba.conf"), """
                local all postgres trust
                host all postgres 127.0.0.1/32 trust
                """);
        restart();
        new TestNode(name, server, "postgres").execute("CREATE DATABASE shop");
        Path bin = Files.createDirectories(work.resolve("bin-" + name));
        script(bin.resolve("hostname"), "echo " + name);
        String account = Server.underItsAccount(List.of()).stream().collect(Collectors.joining(" "));
        script(bin.resolve("sudo"), """
                user=
                while :; do case $1 in -H) shift ;; -u) user=$2; shift 2 ;; *) break ;; esac; done
                [ -n "$user" ] || exec "$@"
                PGUSER=postgres HOME=%s exec %s "$@"
                """.formatted(home, account));
        commandLine(work);
        Files.createDirectories(work.resolve("home-" + name));
    }

    /** Puts ./steep-repl into a folder: the command line as this build has it. */
    static void commandLine(Path work) throws IOException {
        script(
                work.resolve("steep-repl"),
                "exec '%s/bin/java' --enable-native-access=ALL-UNNAMED -Duser.home=\"$HOME\" -Dsteeprepl.home='%s' -Dsteeprepl.stage='%s' -cp '%s' io.steeprepl.cli.Main \"$@\""
                        .formatted(
                                System.getProperty("java.home"),
                                System.getProperty("steeprepl.home"),
                                System.getProperty("steeprepl.stage"),
                                System.getProperty("java.class.path")));
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + text + "\n");
        if (!file.toFile().setExecutable(true, false)) {
            throw new IOException("cannot make executable: " + file);
        }
    }

    Server server() {
        return server;
    }

    void append(String file, String text) throws IOException {
        Path path = server.dataDir().resolve(file);
        Files.writeString(path, Files.readString(path) + "\n" + text);
    }

    void restart() {
        server.stop();
        server.start();
    }

    /** Runs a shell script as the machine's administrator; its output, or an error that has it. */
    String sh(String text) throws IOException, InterruptedException {
        return run(List.of("bash", "-euo", "pipefail", "-c", text), "");
    }

    /** Runs SQL in psql, as somebody types it; rows without headings. */
    String sql(String text) throws IOException, InterruptedException {
        return run(List.of("psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "shop"), text);
    }

    private String run(List<String> command, String input) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command))
                .directory(work.toFile())
                .redirectErrorStream(true);
        builder.environment().keySet().removeIf(variable -> variable.startsWith("PG"));
        String path = String.join(
                ":", work.resolve("bin-" + name).toString(), binaries.bin().toString(), System.getenv("PATH"));
        builder.environment().put("PATH", path);
        builder.environment().put("HOME", work.resolve("home-" + name).toString());
        builder.environment().put("PGHOST", server.socketFolder().toString());
        builder.environment().put("PGPORT", Integer.toString(server.port()));
        Process process = builder.start();
        try (var out = process.getOutputStream()) {
            out.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new AssertionError(
                    "on %s:\n%s\n%s\ngave:\n%s".formatted(name, String.join(" ", command), input, output));
        }
        return output;
    }
}
