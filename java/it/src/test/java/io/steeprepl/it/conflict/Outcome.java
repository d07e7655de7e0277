package io.steeprepl.it.conflict;

import java.util.List;

/** What two nodes hold, in words. */
final class Outcome {
    private Outcome() {}

    static String compare(List<String> a, List<String> b) {
        return a.equals(b) ? "Equal: " + text(a) : "**Differ**: A " + text(a) + ", B " + text(b);
    }

    private static String text(List<String> rows) {
        return rows.isEmpty()
                ? "no row"
                : "`"
                        + String.join(
                                "`, `",
                                rows.stream()
                                        .map(row -> row.replace("null", "")
                                                .replace("|", " ")
                                                .strip())
                                        .toList())
                        + "`";
    }
}
