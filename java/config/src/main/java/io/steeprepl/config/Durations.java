package io.steeprepl.config;

import io.steeprepl.api.ApiException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as users write them: {@code 500ms}, {@code 90s}, {@code 30m}, {@code 12h}, {@code 30d}, {@code 6w}, {@code 2y}. */
public final class Durations {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,6})\\s*(ms|[smhdwy])");

    private Durations() {}

    /** Reads one; a year is 365 days. Throws {@link ApiException.Usage}. */
    public static Duration parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            throw new ApiException.Usage(
                    "not a duration: " + text, "a number and a unit: 500ms, 90s, 30m, 12h, 30d, 6w, 2y");
        }
        long count = Long.parseLong(form.group(1));
        return switch (form.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            case "d" -> Duration.ofDays(count);
            case "w" -> Duration.ofDays(7 * count);
            default -> Duration.ofDays(365 * count);
        };
    }

    /** The shortest way to write one that {@link #parse} reads; of whole milliseconds. */
    public static String text(Duration duration) {
        long ms = duration.toMillis();
        if (ms % 1000 != 0) {
            return ms + "ms";
        }
        long s = ms / 1000;
        if (s == 0 || s % 60 != 0) {
            return s + "s";
        }
        if (s % 3600 != 0) {
            return s / 60 + "m";
        }
        long days = s / 86400;
        return s % 86400 != 0 ? s / 3600 + "h" : days % 365 == 0 ? days / 365 + "y" : days + "d";
    }
}
