package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL server in a folder: {@code data/}, {@code server.log}. It outlives this process; {@link #stop} or
 * {@link #kill9} end it, {@link #discard} for good.
 */
public final class Server {
    private static final Duration START = Duration.ofSeconds(60);

    private final Path folder;
    private final Binaries binaries;
    private final ServerConfig config;
    private final @Nullable Path home;
    private final @Nullable Clock clock;

    private Server(Path folder, Binaries binaries, ServerConfig config, @Nullable Path home, @Nullable Clock clock) {
        this.folder = folder;
        this.binaries = binaries;
        this.config = config;
        this.home = home;
        this.clock = clock;
    }

    /** A server in that folder, there already or not; {@code peers} and {@code durable} matter when it is made. */
    public static Server at(Path folder, int peers, boolean durable) {
        return new Server(folder, Binaries.find(), new ServerConfig(peers, durable, Stage.find()), null, null);
    }

    /** A server without the extension. */
    public static Server plain(Path folder) {
        return plain(folder, Binaries.find());
    }

    /** A server of other programs than the embedded ones, as its makers set it up: nothing is configured but address and log. */
    public static Server plain(Path folder, Binaries binaries) {
        return new Server(folder, binaries, new ServerConfig(1, false, null), null, null);
    }

    /**
     * The same server with a home folder of its own below its folder, where the server's connections to others find
     * {@code .pgpass} and {@code .postgresql}; to be called before the first start.
     */
    public Server withHome(String name) {
        Path own = folder.resolve(name);
        try {
            Files.createDirectories(own);
        } catch (IOException e) {
            throw new TestkitException("cannot make " + own, e);
        }
        return new Server(folder, binaries, config, own, clock);
    }

    /** The same server with a {@link #clock} of its own below its folder; to be called before the first start. */
    public Server withClock() {
        return new Server(folder, binaries, config, home, Clock.in(folder.resolve("clock")));
    }

    /** The clock that {@link #withClock} gave it. */
    public Clock clock() {
        if (clock == null) {
            throw new TestkitException(this + " goes by this machine's clock");
        }
        return clock;
    }

    /** A command as it runs under the account of the servers. */
    public static List<String> underItsAccount(List<String> command) {
        return Account.command(command);
    }

    /** Where its socket is. */
    public Path socketFolder() {
        return socketDir();
    }

    /** Adds lines to postgresql.conf, as an administrator would; they count from the next start on. */
    public void configure(String lines) {
        try {
            Files.writeString(dataDir().resolve("postgresql.conf"), "\n" + lines + "\n", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new TestkitException("cannot configure " + this, e);
        }
    }

    public Path dataDir() {
        return folder.resolve("data");
    }

    public Path log() {
        return folder.resolve("server.log");
    }

    /** Initialises the data folder if there is none, starts the server if it is down, and waits until it answers. */
    public Server start() {
        try {
            if (pid().isPresent()) {
                return this;
            }
            if (!Files.exists(dataDir().resolve("PG_VERSION"))) {
                initialise();
            }
            for (int attempt = 1; ; attempt++) {
                // Written at each start: the port may have been taken, the extension built anew.
                int port = attempt == 1 && readPort().isPresent() ? readPort().get() : Ports.free();
                writeConfig(port);
                if (launch(port)) {
                    return this;
                }
                if (attempt == 5) {
                    throw new TestkitException("the server in " + folder + " did not start:\n" + logTail(30));
                }
            }
        } catch (IOException e) {
            throw new TestkitException("cannot start the server in " + folder, e);
        }
    }

    private void initialise() throws IOException {
        Files.createDirectories(folder);
        if (!Account.canRead(folder)) {
            throw new TestkitException("servers run as an ordinary account, which cannot reach " + folder
                    + "; name a folder that others may enter");
        }
        Account.give(folder);
        // Beside its place and then renamed: what an interrupted initdb leaves must not look like a data folder.
        Path unfinished = folder.resolve("data.unfinished");
        Permissions.remove(unfinished);
        List<String> initdb = List.of(
                binaries.bin().resolve("initdb").toString(),
                "-D",
                unfinished.toString(),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-instructions",
                "--no-sync");
        Processes.Result result = Processes.run(Account.command(initdb));
        if (result.code() != 0) {
            throw new TestkitException("initdb failed:\n" + result.output());
        }
        Files.move(unfinished, dataDir());
    }

    private void writeConfig(int port) throws IOException {
        Path main = dataDir().resolve("postgresql.conf");
        String text = Files.readString(main);
        if (!text.contains("include = 'testkit.conf'")) {
            Files.writeString(main, "\ninclude = 'testkit.conf'\n", StandardOpenOption.APPEND);
        }
        // Others read the port in it at any time.
        Path unfinished = dataDir().resolve("testkit.conf.unfinished");
        Files.writeString(unfinished, config.lines(port, socketDir()));
        Account.give(unfinished);
        Files.move(unfinished, dataDir().resolve("testkit.conf"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Socket paths are limited to some 100 bytes, so not in the data folder. */
    private Path socketDir() {
        Path dir = Path.of(System.getProperty("java.io.tmpdir"));
        return Files.isDirectory(dir) && dir.toString().length() < 60 ? dir : folder;
    }

    private boolean launch(int port) throws IOException {
        List<String> postgres = List.of(
                binaries.bin().resolve("postgres").toString(), "-D", dataDir().toString());
        ProcessBuilder builder = new ProcessBuilder(Detached.command(Account.command(postgres)))
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File(Detached.NULL)))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        if (home != null) {
            builder.environment().put("HOME", home.toString());
        }
        if (clock != null) {
            builder.environment().putAll(clock.environment());
        }
        Process process = builder.start();
        Instant deadline = Instant.now().plus(START);
        while (Instant.now().isBefore(deadline)) {
            if (answers(port)) {
                return true;
            }
            if (!process.isAlive() && pid().isEmpty()) {
                return false;
            }
            pause();
        }
        String log = logTail(30);
        signalAndWait("QUIT");
        process.destroyForcibly();
        throw new TestkitException(
                "the server in " + folder + " did not answer within " + START.toSeconds() + " s:\n" + log);
    }

    private boolean answers(int port) {
        // Another server may have taken the port: only ours has this data folder.
        try (Connection connection = DriverManager.getConnection(jdbcUrl(port, "postgres") + "&loginTimeout=5");
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT current_setting('data_directory')")) {
            return row.next()
                    && Path.of(row.getString(1)).toRealPath().equals(dataDir().toRealPath());
        } catch (SQLException | IOException e) {
            return false;
        }
    }

    /** The postmaster's process id while it runs. */
    public Optional<Long> pid() {
        return pidFileLine(0)
                .filter(line -> line.matches("\\d+"))
                .map(Long::parseLong)
                .filter(pid -> ProcessHandle.of(pid).filter(this::isOurs).isPresent());
    }

    /** The file with the pid outlives a crash, and its number may be another server's by now. */
    private boolean isOurs(ProcessHandle process) {
        return Processes.alive(process)
                && process.info().command().orElse("postgres").contains("postgres")
                && Processes.workingFolder(process)
                        .map(cwd -> cwd.equals(dataDir()) || same(cwd, dataDir()))
                        .orElse(true);
    }

    private static boolean same(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) {
            return false;
        }
    }

    /** The port of the last start. */
    public int port() {
        return readPort().orElseThrow(() -> new TestkitException("the server in " + folder + " was never started"));
    }

    private Optional<Integer> readPort() {
        try {
            return Files.readAllLines(dataDir().resolve("testkit.conf")).stream()
                    .filter(line -> line.startsWith("port = "))
                    .map(line -> Integer.parseInt(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Optional<String> pidFileLine(int line) {
        try {
            List<String> lines = Files.readAllLines(dataDir().resolve("postmaster.pid"));
            return lines.size() > line ? Optional.of(lines.get(line).strip()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static String jdbcUrl(int port, String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=postgres&sslmode=disable";
    }

    public String jdbcUrl(String database) {
        return jdbcUrl(port(), database);
    }

    /** Stops it as {@code pg_ctl stop -m fast} does (SIGINT), and waits for its end. */
    public void stop() {
        signalAndWait("INT");
    }

    /** SIGKILL for the postmaster; its children notice and go. Returns when the shared memory is free. */
    public void kill9() {
        signalAndWait("KILL");
    }

    /**
     * Ends it for good, as {@code pg_ctl stop -m immediate} does (SIGQUIT): without a checkpoint, but unlike
     * {@link #kill9} it leaves no shared memory behind, of which a machine has 4096 pieces.
     */
    public void discard() {
        signalAndWait("QUIT");
    }

    private void signalAndWait(String signal) {
        Optional<ProcessHandle> postmaster = pid().flatMap(ProcessHandle::of);
        if (postmaster.isEmpty()) {
            return;
        }
        List<ProcessHandle> all =
                new java.util.ArrayList<>(postmaster.get().descendants().toList());
        all.add(postmaster.get());
        Signals.send(signal, List.of(postmaster.get().pid()));
        // What is frozen notices nothing, not even that its postmaster is gone.
        Signals.send("CONT", all.stream().map(ProcessHandle::pid).toList());
        Instant deadline = Instant.now().plus(START);
        while (all.stream().anyMatch(Processes::alive) || Processes.anyIn(dataDir())) {
            if (Instant.now().isAfter(deadline)) {
                throw new TestkitException("the server in " + folder + " did not stop:\n" + logTail(20));
            }
            pause();
        }
    }

    /** Freezes the server and all its processes, as a machine that hangs: connections stay open, nothing answers. */
    public void freeze() {
        Signals.send("STOP", tree());
    }

    /** Ends {@link #freeze}. */
    public void thaw() {
        Signals.send("CONT", tree());
    }

    private List<Long> tree() {
        ProcessHandle postmaster =
                pid().flatMap(ProcessHandle::of).orElseThrow(() -> new TestkitException("not running"));
        return java.util.stream.Stream.concat(java.util.stream.Stream.of(postmaster), postmaster.descendants())
                .map(ProcessHandle::pid)
                .toList();
    }

    /** The last lines of the server's log. */
    public String logTail(int lines) {
        try {
            List<String> all = Files.readAllLines(log(), StandardCharsets.UTF_8);
            return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TestkitException("interrupted", null);
        }
    }

    @Override
    public String toString() {
        return "server in " + folder;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Server server && server.folder.equals(folder);
    }

    @Override
    public int hashCode() {
        return folder.hashCode();
    }
}
