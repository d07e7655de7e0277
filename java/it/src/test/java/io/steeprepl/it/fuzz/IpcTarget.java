package io.steeprepl.it.fuzz;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.ipc.ApiAnswers;
import io.steeprepl.daemon.ipc.IpcServer;
import io.steeprepl.remote.Dispatcher;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Lines on the socket of a real server: each gets an answer, none of them says that the daemon failed, and the next is served. */
public final class IpcTarget {
    private static final Path SOCKET = Path.of(System.getProperty("fuzz.socket", "/tmp/steep-repl-fuzz.sock"));
    private static final String LAST = "\n{\"id\": \"last\", \"method\": \"nobody.knows\"}\n";

    static {
        var dispatcher = new Dispatcher(() -> {
            throw new ApiException.CannotConnect(null, "no database", null, null, null);
        });
        // It ends with the process.
        var _ = new IpcServer(
                SOCKET,
                new IpcSettings(true, Optional.of(SOCKET), 8, 1 << 20, Duration.ofSeconds(10)),
                List.of(new ApiAnswers(dispatcher)),
                new Events());
    }

    private IpcTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        byte[] last = LAST.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(input.length + last.length)
                .put(input)
                .put(last)
                .flip();
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(SOCKET));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            var answers = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
            String answer;
            do {
                answer = answers.readLine();
                if (answer == null) {
                    throw new AssertionError("the connection was closed");
                }
                if (answer.contains("\"code\":\"internal\"")) {
                    throw new AssertionError(answer);
                }
            } while (!answer.contains("\"id\":\"last\""));
        }
    }
}
