package io.steeprepl.direct.connection;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what somebody may have meant. */
public final class Nearest {
    private Nearest() {}

    /** The word that needs the fewest edits to become {@code text}; {@code words} must not be empty. */
    static String of(String text, Collection<String> words) {
        String plain = plain(text);
        return words.stream()
                .min(Comparator.comparingInt(word -> edits(plain, plain(word))))
                .orElseThrow();
    }

    /** The word that {@code text} is probably a slip of the pen for, with that many edits at most. */
    public static Optional<String> slip(String text, Collection<String> words, int most) {
        String plain = plain(text);
        return words.stream()
                .min(Comparator.comparingInt(word -> edits(plain, plain(word))))
                .filter(word -> edits(plain, plain(word)) <= Math.min(most, plain.length() / 3));
    }

    /** JDBC's and libpq's names differ mostly in capitals and underscores. */
    private static String plain(String text) {
        return text.toLowerCase(Locale.ROOT).replace("_", "");
    }

    /** Levenshtein's distance. */
    private static int edits(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, 1 + Math.min(above, row[j - 1]));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
