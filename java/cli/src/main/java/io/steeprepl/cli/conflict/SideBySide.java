package io.steeprepl.cli.conflict;

import io.steeprepl.api.Conflict;
import io.steeprepl.cli.output.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a conflict side by side, a line a column. Where LOCAL and REMOTE differ, both cells are marked; where one
 * of them has no row, what the other one changed of BASE.
 *
 * @param full whether long values go on in further lines, else they are cut
 * @param colour whether cells are marked by colour, else by a star
 */
record SideBySide(boolean full, boolean colour) {
    private static final int WIDTH = 28;

    /** One of the rows, with what it is compared with. */
    private record Row(
            String heading, @Nullable Tuple tuple, @Nullable Tuple other) {
        /** What stands for the values of a row that is not there. */
        String absent() {
            return heading.startsWith("BASE") ? "" : "(no row)";
        }
    }

    List<String> lines(Conflict conflict) {
        if (!conflict.tuplesVisible()) {
            return List.of(ConflictColumns.hidden(conflict));
        }
        List<Row> rows = rows(conflict);
        List<String> columns = columns(conflict, rows);
        List<List<String>> cells = new ArrayList<>();
        cells.add(prepend("", rows.stream().map(row -> pad() + row.heading()).toList()));
        for (String column : columns) {
            cells.addAll(line(column, rows));
        }
        if (columns.isEmpty()) {
            cells.add(prepend("", rows.stream().map(row -> pad() + row.absent()).toList()));
        }
        int[] widths = new int[rows.size() + 1];
        cells.forEach(line -> {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], width(line.get(i)));
            }
        });
        // A rule below the headings.
        cells.add(
                1,
                prepend(
                        "",
                        Arrays.stream(widths, 1, widths.length)
                                .mapToObj(width -> pad() + "─".repeat(width - pad().length()))
                                .toList()));
        return cells.stream().map(line -> join(line, widths)).toList();
    }

    private static List<Row> rows(Conflict conflict) {
        Tuple local = Tuple.parse(conflict.local().tuple());
        Tuple remote = Tuple.parse(conflict.remote().tuple());
        Tuple base = Tuple.parse(conflict.base());
        Tuple result = Tuple.parse(conflict.decision().result());
        List<Row> rows = new ArrayList<>();
        rows.add(new Row(heading("LOCAL", conflict.local()), local, remote == null ? base : remote));
        rows.add(new Row(heading("REMOTE", conflict.remote()), remote, local == null ? base : local));
        String none = conflict.kind().equals("INSERT-INSERT") ? "BASE (none)" : "BASE (not known)";
        rows.add(new Row(base == null ? none : "BASE", base, null));
        // Where neither side stayed as it was.
        if (result != null && !result.equals(local) && !result.equals(remote)) {
            rows.add(new Row("RESULT", result, null));
        }
        return rows;
    }

    private static String heading(String name, Conflict.Side side) {
        String at = side.committedAt() == null ? "" : Text.timeOfDay(side.committedAt());
        String origin = side.origin() == null ? "" : Text.sanitise(side.origin());
        String both = origin.isEmpty() || at.isEmpty() ? origin + at : origin + ", " + at;
        return both.isEmpty() ? name : name + " (" + both + ")";
    }

    /** The columns of all rows, those of the key first. */
    private static List<String> columns(Conflict conflict, List<Row> rows) {
        Set<String> columns = new LinkedHashSet<>();
        Tuple key = Tuple.parse(conflict.key());
        Set<String> all = new LinkedHashSet<>();
        rows.forEach(row -> {
            if (row.tuple() != null) {
                all.addAll(row.tuple().values().keySet());
            }
        });
        if (key != null) {
            columns.addAll(key.values().keySet());
            columns.retainAll(all);
        }
        columns.addAll(all);
        return List.copyOf(columns);
    }

    /** The line, or the lines, of one column. */
    private List<List<String>> line(String column, List<Row> rows) {
        List<List<String>> parts = new ArrayList<>();
        for (Row row : rows) {
            boolean marked = row.tuple() != null
                    && row.other() != null
                    && !row.tuple().shown(column).equals(row.other().shown(column));
            String value = row.tuple() == null
                    ? row.absent()
                    : Text.sanitise(row.tuple().shown(column));
            parts.add(cut(value).stream().map(part -> mark(part, marked)).toList());
        }
        int height = parts.stream().mapToInt(List::size).max().orElse(1);
        List<List<String>> lines = new ArrayList<>();
        for (int i = 0; i < height; i++) {
            int at = i;
            lines.add(prepend(
                    i == 0 ? "  " + Text.sanitise(column) : "",
                    parts.stream().map(p -> at < p.size() ? p.get(at) : "").toList()));
        }
        return lines;
    }

    private List<String> cut(String value) {
        List<String> parts = new ArrayList<>();
        int[] points = value.codePoints().toArray();
        for (int at = 0; at < points.length; at += WIDTH) {
            parts.add(new String(points, at, Math.min(WIDTH, points.length - at)));
        }
        if (parts.size() > 1 && !full) {
            return List.of(new String(points, 0, WIDTH - 1) + "…");
        }
        return parts.isEmpty() ? List.of("") : parts;
    }

    private String mark(String part, boolean marked) {
        if (colour) {
            return marked ? "\u001b[1;33m" + part + "\u001b[0m" : part;
        }
        return (marked ? "* " : pad()) + part;
    }

    /** Room for the star. */
    private String pad() {
        return colour ? "" : "  ";
    }

    private static List<String> prepend(String first, List<String> rest) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(rest);
        return all;
    }

    private static String join(List<String> cells, int[] widths) {
        var line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(cells.get(i)).append(" ".repeat(widths[i] - width(cells.get(i)) + 2));
        }
        return line.toString().stripTrailing();
    }

    private static int width(String cell) {
        String plain = cell.replaceAll("\u001b\\[[0-9;]*m", "");
        return plain.codePointCount(0, plain.length());
    }
}
