package io.steeprepl.cli.demo;

import io.steeprepl.cli.conflict.Tuple;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A {@link Case} for people and for programs. */
final class CaseText {
    /** A line of the table: a column in each of the rows. */
    private record Cells(String name, List<String> values) {}

    private CaseText() {}

    /** Prints what each had written, side by side, what was decided, why, and where it stands. */
    static void print(int number, Case one, Output out) {
        String kind = one.entries().isEmpty()
                ? "no conflict was logged"
                : one.entries().getFirst().kind();
        out.text("\n%d. %s  [%s]\n".formatted(number, one.scene().title(), kind));
        List<Cells> lines = new ArrayList<>();
        lines.add(new Cells("at", List.of("", time(one.at(one.north())), time(one.at(one.south())), "")));
        if (one.entries().stream().anyMatch(e -> e.base() == null)) {
            lines.add(new Cells("", List.of("no row", "inserted", "inserted", "")));
        } else if (one.wrote(one.north()) == null || one.wrote(one.south()) == null) {
            lines.add(new Cells(
                    "", List.of("", did(one.wrote(one.north())), did(one.wrote(one.south())), did(one.northNow()))));
        }
        for (String column : one.columns()) {
            lines.add(new Cells(
                    column,
                    List.of(
                            Case.shown(one.before(), column),
                            Case.shown(one.wrote(one.north()), column),
                            Case.shown(one.wrote(one.south()), column),
                            Case.shown(one.northNow(), column))));
        }
        out.list(
                List.of(
                        Column.of("   ", c -> "   " + c.name()),
                        Column.of("before", c -> c.values().get(0)),
                        Column.of("north_wrote", c -> c.values().get(1)),
                        Column.of("south_wrote", c -> c.values().get(2)),
                        Column.of("both_have_now", c -> c.values().get(3))),
                lines,
                "");
        sentences(one).forEach(line -> out.text("   " + line + "\n"));
    }

    private static List<String> sentences(Case one) {
        if (!one.right()) {
            return List.of("NOT AS IT MUST BE: " + one);
        }
        Instant first = one.at(one.earlier());
        Instant second = one.at(one.later());
        String by = first == null || second == null
                ? ""
                : ", by %d ms".formatted(Duration.between(first, second).toMillis());
        String why = one.entries().getFirst().reason();
        String where = one.entries().stream()
                .map(e -> "no. " + e.id() + " in the " + e.office())
                .collect(Collectors.joining(", "));
        return List.of(
                "Decided  The %s's write stays, because it is later%s (%s).%s"
                        .formatted(
                                one.later(),
                                by,
                                one.entries().getFirst().strategy(),
                                why == null ? "" : " The log: " + Text.sanitise(why)),
                "Kept     The %s's is not lost: it stands whole in steep_repl.conflict_log, %s."
                        .formatted(one.earlier(), where),
                "Proven   Both were compared, row and version; they agree since %s.".formatted(time(one.converged())));
    }

    /** What a program reads. */
    static Map<String, @Nullable Object> document(Case one) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("title", one.scene().title());
        object.put("table", Shop.SCHEMA + "." + one.scene().table());
        object.put(
                "conflict_type",
                one.entries().isEmpty() ? null : one.entries().getFirst().kind());
        object.put("before", values(one.before()));
        object.put("north_wrote", values(one.wrote(one.north())));
        object.put("north_wrote_at", one.at(one.north()));
        object.put("south_wrote", values(one.wrote(one.south())));
        object.put("south_wrote_at", one.at(one.south()));
        object.put(
                "stays",
                one.entries().isEmpty() ? null : one.entries().getFirst().stays());
        object.put(
                "strategy",
                one.entries().isEmpty() ? null : one.entries().getFirst().strategy());
        object.put(
                "reason",
                one.entries().isEmpty() ? null : one.entries().getFirst().reason());
        object.put("north_now", values(one.northNow()));
        object.put("south_now", values(one.southNow()));
        object.put("entries", one.entries().stream().map(CaseText::entry).toList());
        object.put("converged_at", one.converged());
        object.put("right", one.right());
        return object;
    }

    private static Map<String, @Nullable Object> entry(Entry entry) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("node_id", entry.office().node().id());
        object.put("id", entry.id());
        object.put("conflict_type", entry.kind());
        object.put("stays", entry.stays());
        object.put("converged_at", entry.converged());
        return object;
    }

    private static @Nullable Map<String, @Nullable String> values(@Nullable Tuple row) {
        return row == null ? null : row.values();
    }

    private static String did(@Nullable Tuple row) {
        return row == null ? "deleted" : "";
    }

    private static String time(@Nullable Instant time) {
        return time == null ? "" : Text.timeOfDay(time);
    }
}
