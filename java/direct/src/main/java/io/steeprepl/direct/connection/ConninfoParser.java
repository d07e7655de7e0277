package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.util.Map;
import java.util.Set;

/** Reads and writes libpq's {@code keyword=value} strings. */
final class ConninfoParser {
    private static final String WHERE = "the conninfo string";

    private final String text;
    private final Parameters found = new Parameters(WHERE);
    private int at;

    private ConninfoParser(String text) {
        this.text = text;
    }

    /** The parameters of a string such as {@code host=db1 user='o''neil'}. Throws {@link ApiException.Usage}. */
    static Map<String, String> parse(String text) {
        return new ConninfoParser(text).parse();
    }

    private Map<String, String> parse() {
        skipBlanks();
        while (at < text.length()) {
            int start = at;
            while (at < text.length() && text.charAt(at) != '=' && !blank()) {
                at++;
            }
            String name = text.substring(start, at);
            skipBlanks();
            if (at == text.length() || text.charAt(at) != '=' || name.isEmpty()) {
                // The word itself may be part of a password whose quotes are missing.
                throw new ApiException.Usage(
                        "missing \"=\" in %s after character %d".formatted(WHERE, start),
                        "write keyword=value, and values with blanks in single quotes");
            }
            at++;
            skipBlanks();
            found.put(name, at < text.length() && text.charAt(at) == '\'' ? quoted() : plain());
            skipBlanks();
        }
        return found.values();
    }

    private String plain() {
        var value = new StringBuilder();
        while (at < text.length() && !blank()) {
            if (text.charAt(at) == '\\' && at + 1 < text.length()) {
                at++;
            }
            value.append(text.charAt(at++));
        }
        return value.toString();
    }

    private String quoted() {
        var value = new StringBuilder();
        at++;
        while (at < text.length() && text.charAt(at) != '\'') {
            if (text.charAt(at) == '\\' && at + 1 < text.length()) {
                at++;
            }
            value.append(text.charAt(at++));
        }
        if (at == text.length()) {
            throw new ApiException.Usage("unterminated quoted string in " + WHERE, "close it with a single quote");
        }
        at++;
        return value.toString();
    }

    private boolean blank() {
        return Character.isWhitespace(text.charAt(at));
    }

    private void skipBlanks() {
        while (at < text.length() && blank()) {
            at++;
        }
    }

    /** The string that libpq reads as those parameters, without those left out. */
    static String render(Map<String, String> parameters, Set<String> leftOut) {
        var out = new StringBuilder();
        parameters.forEach((name, value) -> {
            if (!leftOut.contains(name)) {
                out.append(out.isEmpty() ? "" : " ").append(name).append('=').append(quote(value));
            }
        });
        return out.toString();
    }

    private static String quote(String value) {
        boolean plain =
                !value.isEmpty() && value.chars().noneMatch(c -> c == '\'' || c == '\\' || Character.isWhitespace(c));
        return plain ? value : "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
