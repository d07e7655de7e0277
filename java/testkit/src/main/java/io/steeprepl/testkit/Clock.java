package io.steeprepl.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A time of day for one server that can be moved while it runs: a small library ({@code clock.c}), made by the C compiler and preloaded
 * into the server, adds what stands in a file. Time since boot, by which processes wait, stays as it is.
 */
public final class Clock {
    private final Path library;
    private final Path shift;

    private Clock(Path library, Path shift) {
        this.library = library;
        this.shift = shift;
    }

    /** Why no server can have one on this machine; empty where it can. A Linux without a C compiler builds nothing else either. */
    public static Optional<String> missing() {
        return System.getProperty("os.name").equals("Linux")
                ? Optional.empty()
                : Optional.of("a server's clock is moved by LD_PRELOAD, which is Linux's");
    }

    /** A clock that goes right, in that folder, which servers must be able to read; closing the folder is its end. */
    static Clock in(Path folder) {
        try (InputStream source = Clock.class.getResourceAsStream("clock.c")) {
            if (source == null) {
                throw new TestkitException("clock.c is not on the class path");
            }
            Files.createDirectories(folder);
            Path text = folder.resolve("clock.c");
            Files.write(text, source.readAllBytes());
            Path library = folder.resolve("clock.so");
            Processes.Result made = Processes.run(List.of(
                    "cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library.toString(), text.toString()));
            if (made.code() != 0) {
                throw new TestkitException(
                        "the C compiler, cc, does not make the library of a clock:\n" + made.output());
            }
            Clock clock = new Clock(library, folder.resolve("shift"));
            clock.ahead(Duration.ZERO);
            Permissions.readable(folder);
            return clock;
        } catch (IOException e) {
            throw new TestkitException("cannot make a clock in " + folder, e);
        }
    }

    /** From now on it is that much ahead of this machine's; behind, if negative. Any session that asks from now on sees it. */
    public void ahead(Duration by) {
        ByteBuffer micros = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.nativeOrder())
                .putLong(by.toNanos() / 1000)
                .flip();
        // Written over, not made anew: the server has this file mapped.
        try (FileChannel file = FileChannel.open(shift, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(micros, 0);
        } catch (IOException e) {
            throw new TestkitException("cannot set " + shift, e);
        }
    }

    /** It goes right again. */
    public void right() {
        ahead(Duration.ZERO);
    }

    /** The environment of a server that goes by it. */
    Map<String, String> environment() {
        return Map.of("LD_PRELOAD", library.toString(), "STEEP_REPL_CLOCK", shift.toString());
    }
}
