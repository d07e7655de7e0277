package io.steeprepl.remote.ipc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Takes a stream of bytes apart into lines, none longer than a limit. */
public final class Lines {
    private static final byte END = '\n';

    private final ReadableByteChannel channel;
    private final int longest;
    private final ByteBuffer in = ByteBuffer.allocate(8192).flip();
    private byte[] line = new byte[256];
    private int length;
    private final Runnable begun;

    /** {@code begun} is told when bytes of a line have come and its end has not. */
    public Lines(ReadableByteChannel channel, int longest, Runnable begun) {
        this.channel = channel;
        this.longest = longest;
        this.begun = begun;
    }

    /** A line was longer than allowed; what follows cannot be read any more. */
    public static final class TooLong extends IOException {
        private static final long serialVersionUID = 1L;

        TooLong(int longest) {
            super("a line may have %d bytes".formatted(longest));
        }
    }

    /** The next line without its end, null at the end of the stream; what comes after the last end of a line is none. */
    public @Nullable String next() throws IOException {
        length = 0;
        while (true) {
            while (in.hasRemaining()) {
                byte b = in.get();
                if (b == END) {
                    return new String(line, 0, length, StandardCharsets.UTF_8);
                }
                if (length == longest) {
                    throw new TooLong(longest);
                }
                if (length == line.length) {
                    line = Arrays.copyOf(line, Math.min(longest, 2 * length));
                }
                line[length++] = b;
            }
            if (length > 0) {
                begun.run();
            }
            in.clear();
            int read = channel.read(in);
            in.flip();
            if (read < 0) {
                return null;
            }
        }
    }

    /** Waits for the first bytes of the next line, without looking at them; false at the end of the stream. */
    public boolean more() throws IOException {
        if (in.hasRemaining()) {
            return true;
        }
        in.clear();
        int read = channel.read(in);
        in.flip();
        return read >= 0;
    }

    /** Reads on without looking, to the end of the stream or so far. */
    public void skip(long most) throws IOException {
        long skipped = 0;
        in.clear();
        for (int read = channel.read(in); read >= 0 && skipped < most; read = channel.read(in)) {
            skipped += read;
            in.clear();
        }
    }
}
