package io.steeprepl.api;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The name of a table or a function.
 *
 * @param schema its schema, null to look it up on the server's search path
 * @param name its own name
 */
public record QualifiedName(@Nullable String schema, String name) {
    /**
     * Reads a name as SQL writes it: {@code shop.orders}, {@code "Shop"."Big Orders"}. What is not quoted is folded to
     * lower case.
     *
     * @throws ApiException.Usage when it is not a name
     */
    public static QualifiedName parse(String text) {
        return parse(text, "table");
    }

    /** The same, of what {@code kind} says in the error. */
    public static QualifiedName parse(String text, String kind) {
        List<String> parts = new ArrayList<>();
        int at = 0;
        while (true) {
            var part = new StringBuilder();
            at = text.startsWith("\"", at) ? quoted(text, at + 1, part, kind) : plain(text, at, part, kind);
            if (part.isEmpty()) {
                throw invalid(text, kind);
            }
            parts.add(part.toString());
            if (at == text.length()) {
                break;
            }
            if (text.charAt(at) != '.' || parts.size() == 2) {
                throw invalid(text, kind);
            }
            at++;
        }
        return parts.size() == 1
                ? new QualifiedName(null, parts.getFirst())
                : new QualifiedName(parts.getFirst(), parts.getLast());
    }

    private static int plain(String text, int from, StringBuilder part, String kind) {
        int at = from;
        while (at < text.length() && text.charAt(at) != '.') {
            char c = text.charAt(at++);
            if (c == '"' || Character.isWhitespace(c)) {
                throw invalid(text, kind);
            }
            // Like the server: only ASCII letters are folded in UTF-8 databases.
            part.append(c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
        }
        return at;
    }

    private static int quoted(String text, int from, StringBuilder part, String kind) {
        for (int at = from; at < text.length(); at++) {
            if (text.charAt(at) != '"') {
                part.append(text.charAt(at));
            } else if (text.startsWith("\"\"", at)) {
                part.append('"');
                at++;
            } else {
                return at + 1;
            }
        }
        throw invalid(text, kind);
    }

    private static ApiException.Usage invalid(String text, String kind) {
        return new ApiException.Usage(
                "not the name of a %s: %s".formatted(kind, text),
                "write it as SQL does: orders, shop.orders, \"Shop\".\"Big Orders\"");
    }

    /** As SQL writes it, with every part quoted. */
    public String sql() {
        return schema == null ? quote(name) : quote(schema) + "." + quote(name);
    }

    private static String quote(String part) {
        return '"' + part.replace("\"", "\"\"") + '"';
    }

    @Override
    public String toString() {
        return schema == null ? name : schema + "." + name;
    }
}
