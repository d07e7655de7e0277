package io.steeprepl.it.history.oracle;

import java.util.regex.Pattern;

/** Values as a reader wants them. */
public final class Texts {
    private static final Pattern LONG = Pattern.compile("([^\"{}, ]{12})[^\"{}, ]{40,}");

    private Texts() {}

    /** Text whose long words are cut. */
    public static String brief(String text) {
        return LONG.matcher(text).replaceAll("$1…");
    }
}
