package io.steeprepl.direct.connection;

import java.io.Console;
import java.util.Optional;

/** Asks the user for a password. */
@FunctionalInterface
public interface PasswordPrompt {
    /** What the user typed, empty when there is nobody to ask. */
    Optional<String> ask(String question);

    /** Asks on the terminal; never when standard input is something else. */
    @SuppressWarnings("SystemConsoleNull") // Since 25 it can be null again.
    static PasswordPrompt terminal() {
        return question -> {
            Console console = System.console();
            if (console == null || !console.isTerminal()) {
                return Optional.empty();
            }
            char[] typed = console.readPassword("%s", question);
            return typed == null ? Optional.empty() : Optional.of(new String(typed));
        };
    }
}
