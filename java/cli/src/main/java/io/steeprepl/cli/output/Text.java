package io.steeprepl.cli.output;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Values as people read them on a terminal. */
public final class Text {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ssxxx");

    private static final DateTimeFormatter PRECISE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSSxxx");
    private static final DateTimeFormatter TIME_OF_DAY = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

    private Text() {}

    /** A time with all its digits, in the user's zone. */
    public static String precise(Instant time) {
        return PRECISE.format(time.atZone(ZoneId.systemDefault()));
    }

    /** A time to the second, in the user's zone. */
    public static String time(Instant time) {
        return TIME.format(time.truncatedTo(ChronoUnit.SECONDS).atZone(ZoneId.systemDefault()));
    }

    /** A time without its day, in the user's zone. */
    public static String timeOfDay(Instant time) {
        return TIME_OF_DAY.format(time.atZone(ZoneId.systemDefault()));
    }

    /** A value for a cell: nothing for null, times in the user's zone, no control characters. */
    static String cell(@Nullable Object value) {
        return switch (value) {
            case null -> "";
            case Boolean flag -> flag ? "yes" : "no";
            case Instant time -> time(time);
            case Double number -> "%.1f".formatted(number);
            case Bar bar -> bar.text();
            default -> sanitise(value.toString());
        };
    }

    /**
     * The text with everything visible that a terminal would obey instead of show: controls, escapes, changes of
     * direction, line breaks.
     */
    public static String sanitise(String text) {
        if (text.chars().noneMatch(c -> harmful((char) c))) {
            return text;
        }
        var out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> out.append(harmful(c) ? "\\u%04x".formatted((int) c) : String.valueOf(c));
            }
        }
        return out.toString();
    }

    /** {@link #sanitise} line by line: for texts of several lines. */
    public static String sanitiseLines(String text) {
        return String.join("\n", text.lines().map(Text::sanitise).toList());
    }

    /** Whether a terminal would do something else with a character than show it. */
    static boolean harmful(char c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }

    /** Bytes with a unit. */
    public static String bytes(long count) {
        String[] units = {"B", "kB", "MB", "GB", "TB", "PB"};
        double value = count;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? count + " B" : "%.1f %s".formatted(value, units[unit]);
    }
}
