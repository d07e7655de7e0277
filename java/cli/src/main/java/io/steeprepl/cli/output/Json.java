package io.steeprepl.cli.output;

import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes JSON on one line. */
public final class Json {
    private Json() {}

    /** Text that is JSON already, as PostgreSQL prints it. */
    public record Raw(String text) {
        /** Null stays null. */
        public static @Nullable Raw of(@Nullable String text) {
            return text == null ? null : new Raw(text);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** The JSON of a map, a list, a number, a boolean, null; of anything else its text. */
    public static String write(@Nullable Object value) {
        var out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(@Nullable Object value, StringBuilder out) {
        switch (value) {
            case null -> out.append("null");
            case Raw raw -> raw(raw.text(), out);
            case Double number when number.isNaN() || number.isInfinite() -> out.append("null");
            case Number number -> out.append(number);
            case Bar bar -> out.append(bar.percent());
            case Boolean flag -> out.append(flag);
            case Map<?, ?> map -> object(map, out);
            // Not every Iterable: a Path is one, of Paths.
            case Collection<?> list -> array(list, out);
            default -> string(value.toString(), out);
        }
    }

    /** PostgreSQL escapes the controls of ASCII. What else a terminal would obey stands inside of strings. */
    private static void raw(String text, StringBuilder out) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '\u007f' && Text.harmful(c)) {
                out.append("\\u%04x".formatted((int) c));
            } else {
                out.append(c);
            }
        }
    }

    private static void object(Map<?, ?> map, StringBuilder out) {
        out.append('{');
        String comma = "";
        // Map.of() has another order in each process; who compares outputs wants one.
        Map<?, ?> ordered = map instanceof SequencedMap<?, ?> ? map : new TreeMap<>(map);
        for (Map.Entry<?, ?> entry : ordered.entrySet()) {
            out.append(comma);
            string(String.valueOf(entry.getKey()), out);
            out.append(':');
            write(entry.getValue(), out);
            comma = ",";
        }
        out.append('}');
    }

    private static void array(Collection<?> list, StringBuilder out) {
        out.append('[');
        for (Iterator<?> i = list.iterator(); i.hasNext(); ) {
            write(i.next(), out);
            out.append(i.hasNext() ? "," : "");
        }
        out.append(']');
    }

    private static void string(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    // Controls beyond JSON's own rule too: the document may be shown on a terminal.
                    if (Text.harmful(c)) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
