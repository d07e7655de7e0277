package io.steeprepl.cli.progress;

import io.steeprepl.cli.output.Text;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far work is, as people are told.
 *
 * @param percent 0 to 100, null while it is not known
 * @param tables how many are done and how many there are, null where that is not known
 * @param amounts what is done, such as rows and bytes
 * @param rate what is done in a second
 * @param streams what runs beside each other, a line each
 */
public record Glance(
        String phase,
        @Nullable Double percent,
        @Nullable String tables,
        List<String> amounts,
        @Nullable String rate,
        @Nullable Duration left,
        List<String> streams) {
    private static final int WIDTH = 24;

    /** The whole in a line, with a bar. */
    String bar() {
        double known = percent == null ? 0 : Math.clamp(percent, 0, 100);
        int filled = (int) Math.round(known / 100 * WIDTH);
        String bar = "[" + "#".repeat(filled) + ".".repeat(WIDTH - filled) + "]";
        List<String> parts = new ArrayList<>(numbers());
        parts.add(phase);
        return Text.sanitise(
                bar + (percent == null ? "     " : " %3d%%".formatted((int) known)) + "  " + String.join("  ", parts));
    }

    /** The whole in a line of a log. */
    String line() {
        List<String> parts = new ArrayList<>();
        if (percent != null) {
            parts.add("%.0f%%".formatted(Math.floor(percent)));
        }
        parts.addAll(numbers());
        return phase + (parts.isEmpty() ? "" : ": " + String.join(", ", parts));
    }

    private List<String> numbers() {
        List<String> parts = new ArrayList<>();
        if (tables != null) {
            parts.add(tables + " tables");
        }
        parts.addAll(amounts);
        if (rate != null) {
            parts.add(rate);
        }
        if (left != null) {
            parts.add(span(left) + " left");
        }
        return parts;
    }

    private static String span(Duration time) {
        return time.toHours() > 0
                ? "%dh%02dm".formatted(time.toHours(), time.toMinutesPart())
                : "%d:%02d".formatted(time.toMinutes(), time.toSecondsPart());
    }
}
