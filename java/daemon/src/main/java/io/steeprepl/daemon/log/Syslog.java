package io.steeprepl.daemon.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Hands lines to the C library's syslog: the journal or syslog on Linux, the unified log on macOS. */
@SuppressWarnings("restricted") // The program is started with native access.
final class Syslog extends AppenderBase<ILoggingEvent> {
    private static final int DAEMON = 3 << 3;
    private static final int WITH_PID = 1;

    private final MethodHandle syslog;
    private final MemorySegment format;

    /** {@code name} stands before each line; it is kept for good, as the C library wants it. */
    Syslog(String name) {
        Linker linker = Linker.nativeLinker();
        var library = linker.defaultLookup();
        Arena forGood = Arena.global();
        MethodHandle open = linker.downcallHandle(
                library.findOrThrow("openlog"),
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        syslog = linker.downcallHandle(
                library.findOrThrow("syslog"),
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                Linker.Option.firstVariadicArg(2));
        format = forGood.allocateFrom("%s");
        try {
            open.invokeExact(forGood.allocateFrom(name), WITH_PID, DAEMON);
        } catch (Throwable e) {
            throw new IllegalStateException("openlog", e);
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        try (Arena arena = Arena.ofConfined()) {
            syslog.invokeExact(
                    DAEMON | JsonLines.Priority.of(event.getLevel()),
                    format,
                    arena.allocateFrom(JsonLines.line(event)));
        } catch (Throwable e) {
            addError("syslog", e);
        }
    }
}
