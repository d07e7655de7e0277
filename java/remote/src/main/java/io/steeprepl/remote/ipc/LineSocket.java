package io.steeprepl.remote.ipc;

import io.steeprepl.remote.windows.PipeChannel;
import io.steeprepl.remote.windows.PipeName;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A Unix socket, or a named pipe, with a line of text as its unit. */
final class LineSocket implements AutoCloseable {
    private sealed interface Received {
        record Text(String line) implements Received {}

        record End(IOException error) implements Received {}
    }

    /** More than a daemon ever answers: whoever sends more is none. */
    private static final int LONGEST = 64 * 1024 * 1024;

    private final ByteChannel channel;
    private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();

    private LineSocket(ByteChannel channel) {
        this.channel = channel;
        // A read of either has no timeout of its own; waiting for another thread has.
        // There is one, or two: for so few, the scheduler of virtual threads takes longer to begin than a command
        // needs.
        Thread.ofPlatform().daemon().name("ipc-reader").start(this::read);
    }

    /** {@code trusted}: whether only this account and root may be at the other end. */
    static LineSocket connect(Path path, boolean trusted) throws IOException {
        Optional<PipeName> pipe = PipeName.of(path);
        return new LineSocket(pipe.isPresent() ? PipeChannel.connect(pipe.get(), trusted) : socket(path, trusted));
    }

    private static SocketChannel socket(Path path, boolean trusted) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(path));
            if (trusted) {
                SocketOwner.check(path, channel);
            }
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        return channel;
    }

    void send(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The next line, null when there is none in that time. */
    @Nullable
    String receive(Duration timeout) throws IOException {
        try {
            Received next = received.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (next instanceof Received.End end) {
                // It is the end for whoever asks again, too.
                received.add(end);
                throw end.error();
            }
            return next instanceof Received.Text text ? text.line() : null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private void read() {
        var lines = new Lines(channel, LONGEST, () -> {});
        try (channel) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                received.add(new Received.Text(line));
            }
            received.add(new Received.End(new EOFException("the daemon closed the connection")));
        } catch (IOException e) {
            received.add(new Received.End(e));
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            received.add(new Received.End(e));
        }
    }
}
