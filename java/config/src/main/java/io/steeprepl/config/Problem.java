package io.steeprepl.config;

import java.util.Comparator;

/**
 * One thing that is wrong in the file.
 *
 * @param line from 1; 0 when it is the file as a whole
 * @param key where it is, the keys from the top joined by dots; empty for the file as a whole
 * @param remedy what to write instead
 */
public record Problem(int line, int column, String key, String message, String remedy) {
    /** As the file is read. */
    public static final Comparator<Problem> ORDER =
            Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column);

    /** Two lines for people, the first as compilers write it. */
    public String text(ConfigPath file) {
        return "%s%s: %s%s%n  %s"
                .formatted(file, line == 0 ? "" : ":" + line, key.isEmpty() ? "" : key + ": ", message, remedy);
    }
}
