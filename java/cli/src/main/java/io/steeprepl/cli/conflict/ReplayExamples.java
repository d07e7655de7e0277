package io.steeprepl.cli.conflict;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ConflictReplay;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Examples of rows that would have ended otherwise, a line each: {@code shop.orders #12 id=1: v=late, would be v=early}. */
final class ReplayExamples {
    private ReplayExamples() {}

    static List<String> lines(ConflictReplay replay) {
        if (replay.examples() == null) {
            return List.of();
        }
        List<String> lines = new ArrayList<>();
        try {
            for (JsonNode example : Tuple.JSON.readTree(replay.examples())) {
                lines.add(line(replay, example));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("the server's JSON cannot be read: " + e.getOriginalMessage(), e);
        }
        return lines;
    }

    private static String line(ConflictReplay replay, JsonNode example) {
        Tuple key = tuple(example.get("key"));
        Tuple decided = tuple(example.get("decided"));
        Tuple wouldBe = tuple(example.get("would_be"));
        return "  %s #%s %s: %s, would be %s"
                .formatted(
                        replay.table(),
                        example.get("id"),
                        key == null ? "" : key.line(),
                        differing(decided, wouldBe),
                        differing(wouldBe, decided));
    }

    /** Of a row only the columns in which it differs from the other. */
    private static String differing(@Nullable Tuple row, @Nullable Tuple other) {
        if (row == null) {
            return "no row";
        }
        if (other == null) {
            return row.line();
        }
        return row.values().keySet().stream()
                .filter(column ->
                        !Objects.equals(row.values().get(column), other.values().get(column)))
                .map(column -> column + "=" + row.shown(column))
                .collect(Collectors.joining(", "));
    }

    private static @Nullable Tuple tuple(@Nullable JsonNode row) {
        return row == null || row.isNull() ? null : Tuple.parse(row.toString());
    }
}
