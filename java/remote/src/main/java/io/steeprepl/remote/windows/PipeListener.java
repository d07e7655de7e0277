package io.steeprepl.remote.windows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.ClosedChannelException;

/** Takes connections through a pipe of this account: from processes of this machine, of this account, the system or administrators. */
public final class PipeListener implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;

    private final PipeName name;
    /** The one that waits for the next client. There always is one, so that the name stays this process's. */
    private Handle waiting;

    private boolean closed;

    private PipeListener(PipeName name, Handle waiting) {
        this.name = name;
        this.waiting = waiting;
    }

    /**
     * Makes the pipe.
     *
     * @throws IOException when another process has one of that name, or it cannot be made
     */
    public static PipeListener open(PipeName name) throws IOException {
        // Being the first is asked of the system, too, which settles a race; wine does not answer that.
        if (name.exists()) {
            throw taken(name);
        }
        return new PipeListener(name, instance(name, Kernel32.FIRST_INSTANCE));
    }

    private static Handle instance(PipeName name, int first) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Security.Own own = Security.own(arena)) {
            Call.Result made = Kernel32.CREATE_PIPE.call(
                    Call.text(arena, name.text()),
                    Kernel32.DUPLEX | Kernel32.OVERLAPPED | first,
                    Kernel32.NO_REMOTE_CLIENTS,
                    Kernel32.UNLIMITED,
                    BUFFER,
                    BUFFER,
                    0,
                    own.attributes());
            if (made.value() == Kernel32.NO_HANDLE) {
                throw made.error() == Kernel32.ACCESS_DENIED
                        ? taken(name)
                        : new IOException("%s cannot be made: Windows error %d".formatted(name, made.error()));
            }
            return new Handle(made.value());
        }
    }

    private static IOException taken(PipeName name) {
        return new IOException("another process serves on " + name);
    }

    /** The next client; waits for one. Throws {@link ClosedChannelException} once this is closed. */
    public PipeChannel accept() throws IOException {
        while (true) {
            Handle mine = waiting();
            Handle.Ended ended = mine.run((one, overlapped) -> Kernel32.CONNECT_PIPE.call(one, overlapped));
            boolean connected = ended.error() == 0 || ended.error() == Kernel32.CONNECTED;
            if (connected || ended.error() == Kernel32.NO_DATA) {
                next();
                if (connected) {
                    return new PipeChannel(mine);
                }
                // It came and went before it was seen.
                mine.close();
            } else {
                throw new IOException("Windows error " + ended.error());
            }
        }
    }

    private synchronized Handle waiting() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
        return waiting;
    }

    private synchronized void next() throws IOException {
        if (closed) {
            waiting.close();
            throw new ClosedChannelException();
        }
        waiting = instance(name, 0);
    }

    /** Whether it still takes clients. */
    public synchronized boolean isOpen() {
        return !closed;
    }

    @Override
    public synchronized void close() {
        closed = true;
        waiting.close();
    }
}
