package io.steeprepl.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Lays rows out in columns. */
final class Table {
    private static final Set<String> GOOD = Set.of("healthy", "online", "streaming", "ready", "complete");
    private static final Set<String> BAD = Set.of("unhealthy", "failed", "unavailable", "missing");
    private static final Set<String> BETWEEN = Set.of(
            "degraded",
            "waiting",
            "paused",
            "linking",
            "copying",
            "joining",
            "requested",
            "removing",
            "unknown",
            "pending",
            "running",
            "cancelled");

    private final boolean colour;

    Table(boolean colour) {
        this.colour = colour;
    }

    /** One line a row below a line of headings; numbers to the right. */
    <T> List<String> rows(List<Column<T>> columns, List<T> rows) {
        List<List<String>> cells = new ArrayList<>();
        int[] widths = new int[columns.size()];
        boolean[] numbers = new boolean[columns.size()];
        for (T row : rows) {
            List<String> line = new ArrayList<>();
            for (int i = 0; i < widths.length; i++) {
                Object value = columns.get(i).value().apply(row);
                numbers[i] |= value instanceof Number;
                line.add(Text.cell(value));
                widths[i] = Math.max(widths[i], width(line.get(i)));
            }
            cells.add(line);
        }
        List<String> headings = columns.stream().map(Table::heading).toList();
        for (int i = 0; i < widths.length; i++) {
            widths[i] = Math.max(widths[i], width(headings.get(i)));
        }
        List<String> lines = new ArrayList<>();
        lines.add(paint("1", line(headings, widths, numbers, false)));
        cells.forEach(row -> lines.add(line(row, widths, numbers, true)));
        return lines;
    }

    /** One line a column: name and value. */
    <T> List<String> one(List<Column<T>> columns, T row) {
        int width = columns.stream().mapToInt(c -> heading(c).length()).max().orElse(0);
        return columns.stream()
                .map(c -> paint("1", heading(c))
                        + " ".repeat(width - heading(c).length() + 2)
                        + state(Text.cell(c.value().apply(row))))
                .map(String::stripTrailing)
                .toList();
    }

    private String line(List<String> cells, int[] widths, boolean[] numbers, boolean states) {
        var out = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = cells.get(i);
            String fill = " ".repeat(widths[i] - width(cell));
            String shown = states ? state(cell) : cell;
            out.append(i == 0 ? "" : "  ").append(numbers[i] ? fill + shown : shown + fill);
        }
        return out.toString().stripTrailing();
    }

    private static String heading(Column<?> column) {
        return column.name().replace('_', ' ').toUpperCase(Locale.ROOT);
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }

    private String state(String cell) {
        if (Bar.looksLike(cell)) {
            return paint(Bar.colour(cell), cell);
        }
        String code = GOOD.contains(cell) ? "32" : BAD.contains(cell) ? "31" : BETWEEN.contains(cell) ? "33" : "";
        return code.isEmpty() ? cell : paint(code, cell);
    }

    private String paint(String code, String text) {
        return colour ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }
}
