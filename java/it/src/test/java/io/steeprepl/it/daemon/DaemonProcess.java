package io.steeprepl.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.Main;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.Launch;
import io.steeprepl.direct.connection.Surroundings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A daemon in a process of its own, with a configuration, a socket and a port of its own. */
public final class DaemonProcess implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build();

    public final int port;
    private final String name;
    private final Path folder;
    private final Map<String, String> environment;
    private List<String> within = List.of();
    private @Nullable Process process;

    /** {@code yaml} is the section {@code repl} beside ipc and http, which are added. */
    public DaemonProcess(Path folder, String name, String yaml, Map<String, String> environment) {
        this.folder = folder;
        this.name = name;
        this.environment = environment;
        this.port = freePort();
        configure(yaml);
    }

    public static DaemonProcess of(Path folder, String name, String uri) {
        return new DaemonProcess(
                folder, name, "  postgresql: {connection: '%s', check_interval: 300ms}".formatted(uri), Map.of());
    }

    public static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes the configuration anew. */
    public void configure(String yaml) {
        write("repl:\n%s\n  ipc: {path: %s, timeout: 1s, max_clients: 20}\n  http: {port: %d}\n"
                .formatted(yaml, socket(), port));
    }

    public void write(String whole) {
        try {
            Files.writeString(config(), whole);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path config() {
        return folder.resolve(name + ".yaml");
    }

    public Path socket() {
        return folder.resolve(name + ".sock");
    }

    public Path log() {
        return folder.resolve(name + ".log");
    }

    /** Has it started by that command, which gets the daemon's as its arguments. */
    public DaemonProcess within(List<String> before) {
        within = before;
        return this;
    }

    /** Starts it and does not wait. */
    public DaemonProcess begin() {
        String classes = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classes,
                Main.class.getName(),
                "--config",
                config().toString(),
                "run",
                "--name",
                daemonName()));
        if (System.getProperty("os.name").equals("Linux")) {
            // Tests that run under nohup ignore SIGHUP, and so would the daemon: a process inherits that.
            command.addAll(0, List.of("env", "--default-signal=HUP"));
        }
        command.addAll(0, within);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.environment().keySet().removeIf(variable -> variable.startsWith("PG"));
        builder.environment().putAll(environment);
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    private String daemonName() {
        return "it-" + ProcessHandle.current().pid() + "-" + name;
    }

    /** Starts it and waits until it serves. */
    public DaemonProcess start() {
        begin();
        await("it to serve", () -> logged("runs as process") && process().isAlive());
        return this;
    }

    public Process process() {
        if (process == null) {
            throw new IllegalStateException("not started");
        }
        return process;
    }

    /** Waits for its end and says with which code. */
    public int ended() {
        try {
            assertThat(process().waitFor(30, TimeUnit.SECONDS))
                    .as("it ends\n%s", logText())
                    .isTrue();
            return process().exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** SIGTERM, and the code it ends with. */
    public int term() {
        process().destroy();
        return ended();
    }

    public void signal(String signal) {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(process().pid()))
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public String logText() {
        try {
            return Files.exists(log()) ? Files.readString(log()) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public boolean logged(String text) {
        return logText().contains(text);
    }

    public long timesLogged(String text) {
        return logText().lines().filter(line -> line.contains(text)).count();
    }

    /** What {@code GET} answers. */
    public HttpResponse<String> get(String path) {
        try {
            return HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(port, path)))
                            .timeout(Duration.ofSeconds(20))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public JsonNode health() {
        return json(get("/health").body());
    }

    public static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The value of a metric with its labels as they are written; -1 when it is not there. */
    public double metric(String name) {
        return get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .findFirst()
                .orElse(-1);
    }

    IpcClient connect() {
        return new IpcClient(socket());
    }

    public JsonNode call(String method) {
        try (IpcClient client = connect()) {
            return client.call(method).path("result");
        }
    }

    /** Waits until it is connected with its database. */
    public DaemonProcess connected() {
        await("a connection", () -> get("/health").statusCode() == 200);
        return this;
    }

    public void await(String what, java.util.concurrent.Callable<Boolean> condition) {
        try {
            Awaitility.await(what)
                    .atMost(Duration.ofSeconds(30))
                    .pollInterval(Duration.ofMillis(50))
                    .ignoreExceptions()
                    .until(condition);
        } catch (org.awaitility.core.ConditionTimeoutException e) {
            throw new AssertionError(e.getMessage() + "\n" + logText(), e);
        }
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
        try {
            var launch = new Launch(
                    new ConfigPath(config(), ConfigPath.Source.OPTION), daemonName(), null, Surroundings.ofProcess());
            Files.deleteIfExists(launch.lock());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
