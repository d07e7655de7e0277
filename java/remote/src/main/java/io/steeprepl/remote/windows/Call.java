package io.steeprepl.remote.windows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * A function of a Windows library, which says by its error number what went wrong. Handles are addresses, and texts UTF-16.
 * The signatures are those of the Windows API reference (fileapi.h, namedpipeapi.h, ioapiset.h, synchapi.h, sddl.h, aclapi.h).
 */
@SuppressWarnings("restricted") // The program is started with native access.
public final class Call {
    /** BOOL, DWORD. */
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    /** A handle. */
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    /** An address. */
    public static final MemoryLayout POINTER = ValueLayout.ADDRESS;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle LAST_ERROR = STATE.varHandle(MemoryLayout.PathElement.groupElement("GetLastError"));

    private final String name;
    private final MethodHandle call;

    private Call(String name, MethodHandle call) {
        this.name = name;
        this.call = call;
    }

    /** One that returns a number: BOOL, DWORD. */
    public static Call function(String library, String name, MemoryLayout... parameters) {
        return of(library, name, FunctionDescriptor.of(INT, parameters));
    }

    /** One that returns a handle or an address. */
    public static Call giving(String library, String name, MemoryLayout... parameters) {
        return of(library, name, FunctionDescriptor.of(LONG, parameters));
    }

    private static Call of(String library, String name, FunctionDescriptor signature) {
        MemorySegment symbol =
                SymbolLookup.libraryLookup(library, Arena.global()).findOrThrow(name);
        return new Call(name, LINKER.downcallHandle(symbol, signature, Linker.Option.captureCallState("GetLastError")));
    }

    /**
     * What came of a call.
     *
     * @param value what it returned; of one that returns a number, that number
     * @param error the error number of the thread after it, which means something only where the value says so
     */
    public record Result(long value, int error) {
        /** Of one that returns 0 for a failure: whether it is none. */
        public boolean done() {
            return value != 0;
        }
    }

    /** Calls it. */
    public Result call(Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            Object[] all = new Object[arguments.length + 1];
            all[0] = state;
            System.arraycopy(arguments, 0, all, 1, arguments.length);
            var value = (Number) call.invokeWithArguments(all);
            return new Result(value.longValue(), (int) LAST_ERROR.get(state, 0L));
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
    }

    /** Calls it where a failure means that the system has run out of something. */
    public long must(Object... arguments) throws IOException {
        Result result = call(arguments);
        if (!result.done()) {
            throw new IOException("%s: error %d".formatted(name, result.error()));
        }
        return result.value();
    }

    /** A text as Windows has it. */
    public static MemorySegment text(Arena arena, String text) {
        return arena.allocateFrom(text, StandardCharsets.UTF_16LE);
    }
}
