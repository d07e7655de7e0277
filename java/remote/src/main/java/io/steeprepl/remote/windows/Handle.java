package io.steeprepl.remote.windows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;

/**
 * One end of a pipe. What waits in it is woken when it is closed by another thread, and only then the system gets the handle
 * back: it might be another one's the next moment.
 */
final class Handle implements AutoCloseable {
    /** Of OVERLAPPED (minwinbase.h): two numbers of the system's, an offset that pipes do not have, the event. */
    private static final long OVERLAPPED_BYTES = 32;

    private static final long EVENT_AT = 24;

    private final long handle;
    private final long closing;
    private boolean closed;
    private int users;

    /** Takes it over; it is closed when this fails, too. */
    Handle(long handle) throws IOException {
        this.handle = handle;
        try {
            closing = event();
        } catch (IOException e) {
            Kernel32.CLOSE.call(handle);
            throw e;
        }
    }

    private static long event() throws IOException {
        return Kernel32.EVENT.must(MemorySegment.NULL, 1, 0, MemorySegment.NULL);
    }

    /** Begins something that ends later, with the address of its OVERLAPPED. */
    @FunctionalInterface
    interface Start {
        Call.Result begin(long handle, MemorySegment overlapped);
    }

    /**
     * What became of something that was begun.
     *
     * @param error 0 when it was done
     */
    record Ended(int bytes, int error) {}

    /**
     * Begins it, and waits for its end; the calling thread is held. Throws {@link ClosedChannelException} when this end is closed,
     * before or meanwhile.
     */
    Ended run(Start start) throws IOException {
        enter();
        long event = 0;
        try (Arena arena = Arena.ofConfined()) {
            event = event();
            // All that it needs before it begins: memory that the system writes into must not be given back before its
            // end.
            MemorySegment overlapped = arena.allocate(OVERLAPPED_BYTES, 8);
            MemorySegment both = arena.allocateFrom(ValueLayout.JAVA_LONG, event, closing);
            MemorySegment bytes = arena.allocate(ValueLayout.JAVA_INT);
            overlapped.set(ValueLayout.JAVA_LONG, EVENT_AT, event);
            Call.Result begun = start.begin(handle, overlapped);
            if (!begun.done() && begun.error() != Kernel32.IO_PENDING) {
                return new Ended(0, begun.error());
            }
            // Closed, or the wait itself has failed.
            boolean late = Kernel32.WAIT.call(2, both, 0, Kernel32.FOREVER).value() != 0;
            if (late) {
                Kernel32.CANCEL.call(handle, overlapped);
            }
            Call.Result ended = Kernel32.RESULT.call(handle, overlapped, bytes, 1);
            if (late && !ended.done()) {
                throw new AsynchronousCloseException();
            }
            return new Ended(bytes.get(ValueLayout.JAVA_INT, 0), ended.done() ? 0 : ended.error());
        } finally {
            if (event != 0) {
                Kernel32.CLOSE.call(event);
            }
            leave();
        }
    }

    /** For a call that does not wait. */
    @FunctionalInterface
    interface Question<T> {
        T ask(long handle) throws IOException;
    }

    /** Asks something about it. */
    <T> T ask(Question<T> question) throws IOException {
        enter();
        try {
            return question.ask(handle);
        } finally {
            leave();
        }
    }

    private synchronized void enter() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
        users++;
    }

    private synchronized void leave() {
        users--;
        giveBack();
    }

    private void giveBack() {
        if (closed && users == 0) {
            Kernel32.CLOSE.call(handle);
            Kernel32.CLOSE.call(closing);
        }
    }

    synchronized boolean isOpen() {
        return !closed;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Kernel32.SET_EVENT.call(closing);
            giveBack();
        }
    }
}
