package io.steeprepl.cli.output;

import java.util.Locale;

/**
 * How much of something is used: ten boxes and a number, green below 80 percent, yellow, red above 95; grey boxes and no
 * colour for what is over, because nobody need do anything about it. In JSON the number.
 *
 * @param percent 0 to 100
 * @param over whether it is used no more
 */
public record Bar(double percent, boolean over) {
    private static final int WIDTH = 10;
    private static final String FULL = "\u2588";
    private static final String EMPTY = "\u2591";
    private static final String GREY = "\u2592";

    /** As it stands in a table. */
    String text() {
        int full = Math.clamp(Math.round(percent * WIDTH / 100), 0, WIDTH);
        return (over ? GREY : FULL).repeat(full)
                + EMPTY.repeat(WIDTH - full)
                + String.format(Locale.ROOT, " %5.1f%%", percent);
    }

    static boolean looksLike(String cell) {
        return cell.endsWith("%") && (cell.startsWith(FULL) || cell.startsWith(EMPTY));
    }

    /** The colour of a bar that is text already. */
    static String colour(String cell) {
        double percent =
                Double.parseDouble(cell.substring(WIDTH, cell.length() - 1).strip());
        return percent < 80 ? "32" : percent <= 95 ? "33" : "31";
    }
}
