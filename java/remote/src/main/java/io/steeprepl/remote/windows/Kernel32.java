package io.steeprepl.remote.windows;

import static io.steeprepl.remote.windows.Call.INT;
import static io.steeprepl.remote.windows.Call.LONG;
import static io.steeprepl.remote.windows.Call.POINTER;

/** The calls of kernel32 that pipes are made of, and the numbers that go with them (winbase.h, winerror.h). */
final class Kernel32 {
    static final long NO_HANDLE = -1;
    static final int FOREVER = -1;

    static final int FILE_NOT_FOUND = 2;
    static final int ACCESS_DENIED = 5;
    static final int BROKEN_PIPE = 109;
    static final int PIPE_BUSY = 231;
    static final int NO_DATA = 232;
    static final int NOT_CONNECTED = 233;
    static final int CONNECTED = 535;
    static final int IO_PENDING = 997;

    static final int READ_AND_WRITE = 0xC0000000;
    static final int OPEN_EXISTING = 3;
    static final int OVERLAPPED = 0x40000000;
    /** The server may learn who asks, and not act as them. */
    static final int IDENTIFICATION_ONLY = 0x00100000 | 0x00010000;

    static final int DUPLEX = 3;
    static final int FIRST_INSTANCE = 0x00080000;
    static final int NO_REMOTE_CLIENTS = 8;
    static final int UNLIMITED = 255;

    static final Call CREATE_PIPE =
            Call.giving("kernel32", "CreateNamedPipeW", POINTER, INT, INT, INT, INT, INT, INT, POINTER);
    static final Call CONNECT_PIPE = Call.function("kernel32", "ConnectNamedPipe", LONG, POINTER);
    static final Call WAIT_PIPE = Call.function("kernel32", "WaitNamedPipeW", POINTER, INT);
    static final Call CLIENT_PROCESS = Call.function("kernel32", "GetNamedPipeClientProcessId", LONG, POINTER);
    static final Call OPEN = Call.giving("kernel32", "CreateFileW", POINTER, INT, INT, POINTER, INT, INT, LONG);
    static final Call READ = Call.function("kernel32", "ReadFile", LONG, POINTER, INT, POINTER, POINTER);
    static final Call WRITE = Call.function("kernel32", "WriteFile", LONG, POINTER, INT, POINTER, POINTER);
    static final Call RESULT = Call.function("kernel32", "GetOverlappedResult", LONG, POINTER, POINTER, INT);
    static final Call CANCEL = Call.function("kernel32", "CancelIoEx", LONG, POINTER);
    static final Call EVENT = Call.giving("kernel32", "CreateEventW", POINTER, INT, INT, POINTER);
    static final Call SET_EVENT = Call.function("kernel32", "SetEvent", LONG);
    static final Call WAIT = Call.function("kernel32", "WaitForMultipleObjects", INT, POINTER, INT, INT);
    static final Call CLOSE = Call.function("kernel32", "CloseHandle", LONG);
    static final Call FREE = Call.giving("kernel32", "LocalFree", POINTER);
    static final Call THIS_PROCESS = Call.giving("kernel32", "GetCurrentProcess");

    private Kernel32() {}
}
