package io.steeprepl.remote.windows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.Optional;

/**
 * A connection through a pipe. One thread may read while another writes. A thread that waits is held by the system: virtual
 * threads would keep each other from running.
 */
public final class PipeChannel implements ByteChannel {
    /** How much one call moves at most. */
    private static final int MOST = 64 * 1024;

    private static final int PATIENCE_MS = 2000;

    private final Handle handle;

    PipeChannel(Handle handle) {
        this.handle = handle;
    }

    /**
     * Connects to the pipe of that name.
     *
     * @param trusted whether only this account, the system or an administrator may have made it: anybody can make a pipe with a free
     *     name, and wait for passwords
     * @throws IOException when nobody listens, or somebody who is not trusted
     */
    public static PipeChannel connect(PipeName name, boolean trusted) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Call.text(arena, name.text());
            Call.Result opened = open(path);
            // All are taken for the moment: the next one is made when a client has come.
            while (opened.value() == Kernel32.NO_HANDLE
                    && opened.error() == Kernel32.PIPE_BUSY
                    && Kernel32.WAIT_PIPE.call(path, PATIENCE_MS).done()) {
                opened = open(path);
            }
            if (opened.value() == Kernel32.NO_HANDLE) {
                throw refused(name, opened.error());
            }
            var handle = new Handle(opened.value());
            try {
                if (trusted && !handle.ask(one -> Security.isTrusted(one, name))) {
                    throw new IOException("the pipe %s was made by another account".formatted(name));
                }
                return new PipeChannel(handle);
            } catch (IOException e) {
                handle.close();
                throw e;
            }
        }
    }

    private static Call.Result open(MemorySegment path) {
        return Kernel32.OPEN.call(
                path,
                Kernel32.READ_AND_WRITE,
                0,
                MemorySegment.NULL,
                Kernel32.OPEN_EXISTING,
                Kernel32.OVERLAPPED | Kernel32.IDENTIFICATION_ONLY,
                0L);
    }

    private static IOException refused(PipeName name, int error) {
        return new IOException(
                switch (error) {
                    case Kernel32.FILE_NOT_FOUND -> "nobody listens at " + name;
                    case Kernel32.ACCESS_DENIED ->
                        name + " is another account's; administrators may use it from an elevated prompt";
                    case Kernel32.PIPE_BUSY -> name + " is busy";
                    default -> "%s: Windows error %d".formatted(name, error);
                });
    }

    /** The account at the other end of the listening side, empty when the process is gone. */
    public Optional<String> client() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment process = arena.allocate(ValueLayout.JAVA_INT);
            return handle.ask(one -> Kernel32.CLIENT_PROCESS.call(one, process)).done()
                    ? ProcessHandle.of(process.get(ValueLayout.JAVA_INT, 0))
                            .flatMap(found -> found.info().user())
                    : Optional.empty();
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int wanted = Math.min(into.remaining(), MOST);
            MemorySegment bytes = arena.allocate(Math.max(1, wanted));
            Handle.Ended ended = handle.run(
                    (one, overlapped) -> Kernel32.READ.call(one, bytes, wanted, MemorySegment.NULL, overlapped));
            if (gone(ended.error())) {
                return -1;
            }
            check(ended.error());
            into.put(bytes.asSlice(0, ended.bytes()).asByteBuffer());
            return ended.bytes();
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int wanted = Math.min(from.remaining(), MOST);
            MemorySegment bytes = arena.allocate(Math.max(1, wanted));
            bytes.asByteBuffer().put(from.duplicate().limit(from.position() + wanted));
            Handle.Ended ended = handle.run(
                    (one, overlapped) -> Kernel32.WRITE.call(one, bytes, wanted, MemorySegment.NULL, overlapped));
            check(ended.error());
            from.position(from.position() + ended.bytes());
            return ended.bytes();
        }
    }

    private static boolean gone(int error) {
        return error == Kernel32.BROKEN_PIPE || error == Kernel32.NO_DATA || error == Kernel32.NOT_CONNECTED;
    }

    private static void check(int error) throws IOException {
        if (error != 0) {
            throw new IOException(gone(error) ? "the other end is gone" : "Windows error " + error);
        }
    }

    @Override
    public boolean isOpen() {
        return handle.isOpen();
    }

    @Override
    public void close() {
        handle.close();
    }
}
