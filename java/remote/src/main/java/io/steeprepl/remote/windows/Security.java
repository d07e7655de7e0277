package io.steeprepl.remote.windows;

import static io.steeprepl.remote.windows.Call.INT;
import static io.steeprepl.remote.windows.Call.LONG;
import static io.steeprepl.remote.windows.Call.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/** Who may open a pipe, and who has made one. Accounts are told by their SIDs (sddl.h, aclapi.h). */
@SuppressWarnings("restricted") // Addresses that the system hands over have no size.
final class Security {
    private static final int TOKEN_QUERY = 8;
    private static final int TOKEN_USER = 1;
    private static final int KERNEL_OBJECT = 6;
    private static final int OWNER = 1;
    private static final long LONGEST_SID = 512;

    /**
     * The system's own account, those of services, which only an administrator makes, and the administrators, to whom belongs what
     * one of them makes.
     */
    private static final Set<String> EVERYBODY_TRUSTS = Set.of("S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544");

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
    static Own own(Arena arena) {
        String me = account();
        MemorySegment descriptor = arena.allocate(ValueLayout.ADDRESS);
        DESCRIPTOR.must(
                Call.text(arena, "O:%1$sD:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%1$s)".formatted(me)),
                1,
                descriptor,
                MemorySegment.NULL);
        MemorySegment made = descriptor.get(ValueLayout.ADDRESS, 0);
        // nLength, lpSecurityDescriptor, bInheritHandle
        MemorySegment attributes = arena.allocate(24, 8);
        attributes.set(ValueLayout.JAVA_INT, 0, 24);
        attributes.set(ValueLayout.ADDRESS, 8, made);
        return new Own(attributes, made);
    }

    /** The SID of this process's account. */
    static String account() {
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

    /** Whether that end of a pipe belongs to this account, to one of the system's or to the administrators. */
    static boolean isTrusted(long handle) {
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
                return made.equals(account()) || EVERYBODY_TRUSTS.contains(made);
            } finally {
                Kernel32.FREE.call(descriptor.get(ValueLayout.ADDRESS, 0));
            }
        }
    }

    private static String text(MemorySegment sid) {
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
