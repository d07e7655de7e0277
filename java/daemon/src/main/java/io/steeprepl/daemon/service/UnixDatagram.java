package io.steeprepl.daemon.service;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/** One datagram to a socket in the file system, which Java itself cannot send. Linux only. */
final class UnixDatagram {
    private static final int AF_UNIX = 1;
    private static final int DATAGRAM_CLOSE_ON_EXEC = 2 | 0x80000;
    private static final int NO_SIGNAL = 0x4000;
    private static final int ADDRESS = 110;
    private static final int FAMILY = 2;

    private UnixDatagram() {}

    /** Sends; a path that begins with {@code @} is one of Linux's abstract names. */
    static void send(String path, byte[] text) throws IOException {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length > ADDRESS - FAMILY - 1) {
            throw new IOException("the path of the socket is too long");
        }
        if (path.startsWith("@")) {
            name[0] = 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(ADDRESS, 2);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(MemorySegment.ofArray(name), 0, address, FAMILY, name.length);
            int length = FAMILY + name.length + (path.startsWith("@") ? 0 : 1);
            MemorySegment bytes = arena.allocate(Math.max(1, text.length));
            MemorySegment.copy(MemorySegment.ofArray(text), 0, bytes, 0, text.length);
            int socket = (int) Native.SOCKET.invokeExact(AF_UNIX, DATAGRAM_CLOSE_ON_EXEC, 0);
            if (socket < 0) {
                throw new IOException("no socket");
            }
            long sent = (long) Native.SENDTO.invokeExact(socket, bytes, (long) text.length, NO_SIGNAL, address, length);
            int closed = (int) Native.CLOSE.invokeExact(socket);
            if (sent != text.length || closed != 0) {
                throw new IOException("nobody takes it at " + path);
            }
        } catch (IOException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException(e);
        }
    }

    @SuppressWarnings("restricted") // The program is started with native access.
    private static final class Native {
        private static final Linker LINKER = Linker.nativeLinker();
        static final MethodHandle SOCKET = handle(
                "socket",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle SENDTO = handle(
                "sendto",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT));
        static final MethodHandle CLOSE =
                handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

        private Native() {}

        private static MethodHandle handle(String name, FunctionDescriptor type) {
            return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type);
        }
    }
}
