package io.steeprepl.it.history.oracle;

import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Values as a reader wants them. */
public final class Texts {
    private static final Pattern LONG = Pattern.compile("([^\"{}, ]{12})[^\"{}, ]{40,}");

    private static final Pattern COLUMN = Pattern.compile("\"(\\w+)\": (\"[^\"]*\"|[^,}]+)");

    private Texts() {}

    /** The columns of a flat row as jsonb writes it, each with its value as it stands there. */
    static Map<String, String> columns(String row) {
        return COLUMN.matcher(row)
                .results()
                .collect(Collectors.toMap(found -> found.group(1), found -> found.group(2)));
    }

    /** Text whose long words are cut. */
    public static String brief(String text) {
        return LONG.matcher(text).replaceAll("$1…");
    }
}
