package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every kind of conflict under every strategy that keeps something of both sides, whoever is first. Each is in a row of its own. */
@ExtendWith(TwoNodes.class)
class FoldKindsIT {
    private static final String COLUMNS = "id int PRIMARY KEY, v text, w text, n int NOT NULL, u text UNIQUE";
    private static final String[] ROWS = Stream.of(1, 2, 3, 6, 7, 8, 9)
            .map(id -> "(" + id + ", 'old', 'old', 10, NULL)")
            .toArray(String[]::new);
    private static final String JOINED =
            "CREATE FUNCTION joined(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql"
                    + " RETURN remote || jsonb_build_object('v', (local->>'v') || '+' || (remote->>'v'))";

    /** The strategies. */
    enum Fold {
        MERGE(0, "column_merge", ""),
        SUM(1, "last_write_wins", ", delta_columns => '{n}'"),
        FUNCTION(2, "function", ", resolver => 'joined'");

        /** Among the ends of a {@link Kind}. */
        private final int place;

        private final String strategy;
        private final String arguments;

        Fold(int place, String strategy, String arguments) {
            this.place = place;
            this.strategy = strategy;
            this.arguments = arguments;
        }
    }

    /**
     * A kind of conflict.
     *
     * @param early what the first node writes
     * @param late what the other one writes after that
     * @param ends the rows that both end with, under each strategy
     */
    record Kind(String type, String early, String late, List<String> ends) {}

    private static Kind kind(String type, String early, String late, String... ends) {
        return new Kind(type, early, late, List.of(ends));
    }

    private static final List<Kind> KINDS = List.of(
            kind(
                    "UPDATE-UPDATE",
                    "UPDATE item SET v = 'early', n = n + 1 WHERE id = 1",
                    "UPDATE item SET w = 'late', n = n + 2 WHERE id = 1",
                    "1|early|late|12",
                    "1|old|late|13",
                    "1|early+old|late|12"),
            kind(
                    "UPDATE-DELETE",
                    "UPDATE item SET v = 'early', n = n + 1 WHERE id = 2",
                    "DELETE FROM item WHERE id = 2",
                    "",
                    "",
                    ""),
            kind(
                    "UPDATE-DELETE",
                    "DELETE FROM item WHERE id = 3",
                    "UPDATE item SET w = 'late', n = n + 2 WHERE id = 3",
                    "3|old|late|12",
                    "3|old|late|12",
                    "3|old|late|12"),
            kind(
                    "INSERT-INSERT",
                    "INSERT INTO item VALUES (4, 'early', 'early', 1)",
                    "INSERT INTO item VALUES (4, 'late', 'late', 2)",
                    "4|late|late|2",
                    "4|late|late|2",
                    "4|early+late|late|2"),
            kind(
                    "KEY-UPDATE",
                    "UPDATE item SET id = 60 WHERE id = 6",
                    "UPDATE item SET w = 'late', n = n + 2 WHERE id = 6",
                    "6|old|late|12",
                    "6|old|late|12",
                    "6|old|late|12"),
            kind(
                    "KEY-UPDATE",
                    "UPDATE item SET v = 'early', n = n + 1 WHERE id = 7",
                    "UPDATE item SET id = 70 WHERE id = 7",
                    "70|old|old|10",
                    "70|old|old|10",
                    "70|old|old|10"),
            kind(
                    "KEY-UPDATE",
                    "UPDATE item SET id = 80 WHERE id = 8",
                    "UPDATE item SET id = 81 WHERE id = 8",
                    "81|old|old|10",
                    "81|old|old|10",
                    "81|old|old|10"),
            kind(
                    "DELETE-INSERT",
                    "DELETE FROM item WHERE id = 9",
                    "DELETE FROM item WHERE id = 9; INSERT INTO item VALUES (9, 'late', 'late', 2)",
                    "9|late|late|2",
                    "9|late|late|2",
                    "9|late|late|2"),
            kind(
                    "UNIQUE",
                    "INSERT INTO item VALUES (20, 'early', 'early', 1, 'same')",
                    "INSERT INTO item VALUES (21, 'late', 'late', 2, 'same')",
                    "21|late|late|2",
                    "21|late|late|2",
                    "21|late|late|2"));

    private final Mesh mesh;

    FoldKindsIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private Table table(Fold fold) {
        Table table = mesh.table(COLUMNS, ROWS);
        if (fold == Fold.FUNCTION) {
            table.everywhere(JOINED);
        }
        return table.strategy(fold.strategy, fold.arguments).drained();
    }

    private static String writes(java.util.function.Function<Kind, String> side) {
        return KINDS.stream().map(side).collect(Collectors.joining("; "));
    }

    /** What both deleted and one inserted again has lost nothing: no entry. */
    @ParameterizedTest(name = "{0}, {1} writes first")
    @CsvSource({"MERGE, a", "MERGE, b", "SUM, a", "SUM, b", "FUNCTION, a", "FUNCTION, b"})
    void decides(Fold fold, String first) {
        Table table = table(fold).apart(first, writes(Kind::early), writes(Kind::late));
        String[] ends = KINDS.stream()
                .map(kind -> kind.ends().get(fold.place))
                .filter(row -> !row.isEmpty())
                .sorted(java.util.Comparator.comparingInt(row -> Integer.parseInt(row.substring(0, row.indexOf('|')))))
                .toArray(String[]::new);
        table.answers("SELECT id, v, w, n FROM item ORDER BY id", ends).proven();
        for (String node : List.of("a", "b")) {
            assertThat(table.log(node).stream().map(Entry::type).distinct())
                    .as("kinds on %s%s", node, table.allLogs())
                    .containsAll(KINDS.stream()
                            .map(Kind::type)
                            .filter(type -> !type.equals("DELETE-INSERT"))
                            .distinct()
                            .toList());
            assertThat(table.log(node).stream().map(Entry::resolution).filter(Objects::nonNull))
                    .as("%s on %s%s", fold.name().toLowerCase(Locale.ROOT), node, table.allLogs())
                    .doesNotContain("PENDING");
        }
    }

    /** A truncation ends rows as deletions do: a later update that had not seen it brings its row back. */
    @ParameterizedTest(name = "{0}, {1} writes first")
    @CsvSource({"MERGE, a", "SUM, b", "FUNCTION, a"})
    void aTruncationEndsRowsAndSums(Fold fold, String first) {
        table(fold)
                .apart(first, "TRUNCATE item", "UPDATE item SET w = 'late', n = n + 2 WHERE id = 1")
                .answers("SELECT id, v, w, n FROM item ORDER BY id", "1|old|late|12")
                .proven()
                .apart(first, "UPDATE item SET n = n + 5", "TRUNCATE item")
                .answers("SELECT id, v, w, n FROM item ORDER BY id")
                .proven();
    }
}
