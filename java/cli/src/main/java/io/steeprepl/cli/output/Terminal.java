package io.steeprepl.cli.output;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What the process knows of the terminal it runs on. */
public final class Terminal {
    private Terminal() {}

    /** Whether a person sees standard output and error as they are printed. */
    @SuppressWarnings("SystemConsoleNull") // Since 25 it can be null again.
    public static boolean interactive() {
        Console console = System.console();
        return console != null && console.isTerminal() && !redirected(2);
    }

    /** What the person at the terminal answers to a question; empty when there is nobody. */
    @SuppressWarnings("SystemConsoleNull") // Since 25 it can be null again.
    public static Optional<String> ask(String question) {
        Console console = System.console();
        if (console == null || !interactive()) {
            return Optional.empty();
        }
        return Optional.of(Objects.requireNonNullElse(console.readLine("%s", question), ""));
    }

    /** Whether to use colours: on a terminal that knows them, unless NO_COLOR is set to anything. */
    public static boolean colours(Map<String, String> environment) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb")
                && interactive();
    }

    /** Whether a descriptor goes to a file or pipe; only Linux tells, elsewhere the answer is no. */
    private static boolean redirected(int descriptor) {
        Path link = Path.of("/proc/self/fd", Integer.toString(descriptor));
        try {
            return Files.isSymbolicLink(link) && !Files.readSymbolicLink(link).startsWith("/dev");
        } catch (IOException e) {
            return false;
        }
    }
}
