package io.steeprepl.it.fuzz;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.Daemon;
import io.steeprepl.daemon.Launch;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.it.daemon.DaemonProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** Bytes on the HTTP port of a daemon without a database: never a failure of its own, and whoever comes next is answered. */
public final class HttpTarget {
    private static final int PORT = DaemonProcess.freePort();
    private static final int LONGEST = 25_000;

    static {
        Path config = Path.of(System.getProperty("fuzz.socket") + ".yaml");
        try {
            Files.writeString(config, """
                    repl:
                      postgresql: {host: 127.0.0.1, port: 1}
                      ipc: {enabled: false}
                      grpc: {enabled: false}
                      http: {bind: 127.0.0.1, port: %d}
                    """.formatted(PORT));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var launch = new Launch(
                new ConfigPath(config, ConfigPath.Source.OPTION),
                System.getProperty("fuzz.name"),
                null,
                new Surroundings(Map.of(), Path.of("/nowhere"), "ann"));
        // It ends with the process.
        Thread.ofPlatform().daemon().start(new Served(launch));
        while (!serves()) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    private HttpTarget() {}

    /** No lambda: that would wait for this class to be ready, which waits for the daemon. */
    private record Served(Launch launch) implements Runnable {
        @Override
        public void run() {
            Daemon.run(launch);
        }
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        String answer;
        try {
            answer = answer(input);
        } catch (SocketException e) {
            // It need not listen to the end of what is wrong.
            answer = "";
        }
        boolean wellFormed = answer.isEmpty() || answer.startsWith("HTTP/1.1 ");
        if (!wellFormed || answer.contains("HTTP/1.1 500")) {
            throw new AssertionError(answer);
        }
        if (!serves()) {
            throw new AssertionError("/health is not answered any more");
        }
    }

    private static boolean serves() {
        try {
            return answer("GET /health HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 503");
        } catch (IOException e) {
            return false;
        }
    }

    private static String answer(byte[] request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), PORT)) {
            socket.setSoTimeout(LONGEST);
            socket.getOutputStream().write(request);
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
