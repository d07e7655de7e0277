package io.steeprepl.remote.windows;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * What a pipe is called on its machine.
 *
 * @param text such as {@code \\.\pipe\steep-repl}
 */
public record PipeName(String text) {
    /** Where pipes are. */
    public static final String FOLDER = "\\\\.\\pipe\\";

    private static final int AT_ONCE = 1;

    /** The pipe that a path means, empty when it means none; on other systems than Windows it never does. */
    public static Optional<PipeName> of(Path path) {
        return of(path.toString());
    }

    /** The same of what need not be a path at all. */
    public static Optional<PipeName> of(String text) {
        return of(text, System.getProperty("os.name", ""));
    }

    /** {@code system}: as Java calls it. */
    static Optional<PipeName> of(String path, String system) {
        return ThisSystem.isWindows(system)
                        && path.toLowerCase(Locale.ROOT).startsWith(FOLDER)
                        && path.length() > FOLDER.length()
                ? Optional.of(new PipeName(path))
                : Optional.empty();
    }

    /** Whether somebody listens there. To look at it as at a file would take the place of a client. */
    public boolean exists() {
        try (Arena arena = Arena.ofConfined()) {
            Call.Result waited = Kernel32.WAIT_PIPE.call(Call.text(arena, text), AT_ONCE);
            return waited.done() || waited.error() != Kernel32.FILE_NOT_FOUND;
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
