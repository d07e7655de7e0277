package io.steeprepl.remote.windows;

import static io.steeprepl.remote.windows.Call.INT;
import static io.steeprepl.remote.windows.Call.LONG;
import static io.steeprepl.remote.windows.Call.POINTER;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Who may open a pipe, and who has made one. Accounts are told by their SIDs (sddl.h, aclapi.h). */
@SuppressWarnings("restricted") // Addresses that the system hands over have no size.
final class Security {
    private static final int TOKEN_QUERY = 8;
    private static final int TOKEN_USER = 1;
    private static final int KERNEL_OBJECT = 6;
    private static final int OWNER = 1;
    private static final long LONGEST_SID = 512;

    private static final Call OPEN_TOKEN = Call.function("advapi32", "OpenProcessToken", LONG, INT, POINTER);
    private static final Call TOKEN =
            Call.function("advapi32", "GetTokenInformation", LONG, INT, POINTER, INT, POINTER);
    private static final Call SID_TEXT = Call.function("advapi32", "ConvertSidToStringSidW", POINTER, POINTER);
    private static final Call DESCRIPTOR = Call.function(
            "advapi32", "ConvertStringSecurityDescriptorToSecurityDescriptorW", POINTER, INT, POINTER, POINTER);
    private static final Call ABOUT =
            Call.function("advapi32", "GetSecurityInfo", LONG, INT, INT, POINTER, POINTER, POINTER, POINTER, POINTER);

    private Security() {}

    /** SECURITY_ATTRIBUTES for what only this account, the system and administrators may open. */
    record Own(MemorySegment attributes, MemorySegment descriptor) implements AutoCloseable {
        @Override
        public void close() {
            Kernel32.FREE.call(descriptor);
        }
    }

    /** As long as {@code arena} lives. */
    static Own own(Arena arena) throws IOException {
        MemorySegment descriptor = arena.allocate(ValueLayout.ADDRESS);
        DESCRIPTOR.must(Call.text(arena, PipeTrust.descriptor(account())), 1, descriptor, MemorySegment.NULL);
        MemorySegment made = descriptor.get(ValueLayout.ADDRESS, 0);
        // nLength, lpSecurityDescriptor, bInheritHandle
        MemorySegment attributes = arena.allocate(24, 8);
        attributes.set(ValueLayout.JAVA_INT, 0, 24);
        attributes.set(ValueLayout.ADDRESS, 8, made);
        return new Own(attributes, made);
    }

    /** The SID of this process's account. */
    static String account() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment token = arena.allocate(ValueLayout.JAVA_LONG);
            OPEN_TOKEN.must(Kernel32.THIS_PROCESS.call().value(), TOKEN_QUERY, token);
            long opened = token.get(ValueLayout.JAVA_LONG, 0);
            try {
                MemorySegment user = arena.allocate(LONGEST_SID, 8);
                TOKEN.must(opened, TOKEN_USER, user, (int) LONGEST_SID, arena.allocate(ValueLayout.JAVA_INT));
                return text(user.get(ValueLayout.ADDRESS, 0));
            } finally {
                Kernel32.CLOSE.call(opened);
            }
        }
    }

    /** Whether that end of a pipe belongs to somebody who is trusted ({@link PipeTrust}). */
    static boolean isTrusted(long handle, PipeName name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment owner = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment descriptor = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment none = MemorySegment.NULL;
            // Unlike the others it returns the error itself.
            if (ABOUT.call(handle, KERNEL_OBJECT, OWNER, owner, none, none, none, descriptor)
                            .value()
                    != 0) {
                return false;
            }
            try {
                String made = text(owner.get(ValueLayout.ADDRESS, 0));
                return PipeTrust.trusts(made, account(), name);
            } finally {
                Kernel32.FREE.call(descriptor.get(ValueLayout.ADDRESS, 0));
            }
        }
    }

    private static String text(MemorySegment sid) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(ValueLayout.ADDRESS);
            SID_TEXT.must(sid, found);
            MemorySegment text = found.get(ValueLayout.ADDRESS, 0);
            try {
                return text.reinterpret(LONGEST_SID).getString(0, StandardCharsets.UTF_16LE);
            } finally {
                Kernel32.FREE.call(text);
            }
        }
    }
}
