package io.steeprepl.it;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A terminal with a program at it, and a person who reads and types. */
final class PseudoTerminal implements AutoCloseable {
    private static final int READ_AND_WRITE = 2;

    private final int person;
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final Process program;

    PseudoTerminal(List<String> command) throws IOException {
        person = Native.number(Native.OPEN, READ_AND_WRITE);
        Native.number(Native.GRANT, person);
        Native.number(Native.UNLOCK, person);
        var device = new File(Native.name(person));
        program = new ProcessBuilder(command)
                .redirectInput(device)
                .redirectOutput(device)
                .redirectError(device)
                .start();
        Thread.ofPlatform().daemon().name("terminal").start(this::read);
    }

    Process program() {
        return program;
    }

    /** All that has been shown so far. */
    String shown() {
        synchronized (shown) {
            return shown.toString(StandardCharsets.UTF_8);
        }
    }

    /** Types a line. */
    void type(String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            Native.bytes(Native.WRITE, person, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), bytes.length);
        }
    }

    private void read() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment part = arena.allocate(4096);
            long length = Native.bytes(Native.READ, person, part, part.byteSize());
            // An error at the end, when nobody has the other side open any more.
            while (length > 0) {
                byte[] bytes = part.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
                synchronized (shown) {
                    shown.writeBytes(bytes);
                }
                length = Native.bytes(Native.READ, person, part, part.byteSize());
            }
        }
    }

    @Override
    public void close() {
        program.destroyForcibly().onExit().join();
        Native.number(Native.CLOSE, person);
    }

    /** Of the C library: Java has no pseudo-terminals. */
    @SuppressWarnings("restricted")
    private static final class Native {
        private static final Linker LINKER = Linker.nativeLinker();
        static final MethodHandle OPEN = ofNumber("posix_openpt");
        static final MethodHandle GRANT = ofNumber("grantpt");
        static final MethodHandle UNLOCK = ofNumber("unlockpt");
        static final MethodHandle CLOSE = ofNumber("close");
        static final MethodHandle READ = ofBytes("read");
        static final MethodHandle WRITE = ofBytes("write");
        private static final MethodHandle NAME =
                handle("ptsname", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

        private Native() {}

        private static MethodHandle ofNumber(String name) {
            return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        }

        private static MethodHandle ofBytes(String name) {
            return handle(
                    name,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        }

        private static MethodHandle handle(String name, FunctionDescriptor type) {
            return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type);
        }

        static int number(MethodHandle function, int argument) {
            try {
                int result = (int) function.invokeExact(argument);
                if (result < 0) {
                    throw new IllegalStateException(function + " of " + argument);
                }
                return result;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        static long bytes(MethodHandle function, int descriptor, MemorySegment bytes, long length) {
            try {
                return (long) function.invokeExact(descriptor, bytes, length);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        static String name(int descriptor) {
            try {
                return ((MemorySegment) NAME.invokeExact(descriptor))
                        .reinterpret(256)
                        .getString(0);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
