package io.steeprepl.daemon.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.steeprepl.remote.windows.Call;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Hands lines to the event log of Windows, source: the daemon's name (winbase.h: RegisterEventSourceW, ReportEventW). */
final class EventLog extends AppenderBase<ILoggingEvent> {
    private static final short ERROR = 1;
    private static final short WARNING = 2;
    private static final short INFORMATION = 4;
    /** The event log takes no more of one text. */
    private static final int LONGEST = 31_839;

    private static final Call REGISTER = Call.giving("advapi32", "RegisterEventSourceW", Call.POINTER, Call.POINTER);
    private static final Call REPORT = Call.function(
            "advapi32",
            "ReportEventW",
            Call.LONG,
            ValueLayout.JAVA_SHORT,
            ValueLayout.JAVA_SHORT,
            Call.INT,
            Call.POINTER,
            ValueLayout.JAVA_SHORT,
            Call.INT,
            Call.POINTER,
            Call.POINTER);

    private final long source;

    /** {@code name}: of the source. */
    EventLog(String name) {
        try (Arena arena = Arena.ofConfined()) {
            source = REGISTER.must(MemorySegment.NULL, Call.text(arena, name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        String line = JsonLines.line(event);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment texts = arena.allocate(ValueLayout.ADDRESS);
            texts.set(
                    ValueLayout.ADDRESS,
                    0,
                    Call.text(arena, line.length() > LONGEST ? line.substring(0, LONGEST) : line));
            MemorySegment none = MemorySegment.NULL;
            Call.Result told =
                    REPORT.call(source, type(event.getLevel()), (short) 0, 0, none, (short) 1, 0, texts, none);
            if (!told.done()) {
                addError("ReportEvent: error " + told.error());
            }
        }
    }

    private static short type(Level level) {
        if (level.isGreaterOrEqual(Level.ERROR)) {
            return ERROR;
        }
        return level.isGreaterOrEqual(Level.WARN) ? WARNING : INFORMATION;
    }
}
