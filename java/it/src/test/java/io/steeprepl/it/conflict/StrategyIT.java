package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of conflict under every strategy, whoever is first. Each conflict is in a row of its own, so the rows that a node
 * ends with are those that the winner had before the two came together.
 */
@ExtendWith(TwoNodes.class)
class StrategyIT {
    private static final String[] ROWS = {
        "(1, 'old')", "(2, 'old')", "(3, 'old')", "(5, 'old')", "(6, 'old')", "(7, 'old')", "(8, 'old')", "(9, 'old')"
    };
    /** Two writes of one row; an identity that both logs share. */
    private static final Map<String, List<String>> KINDS = new LinkedHashMap<>(Map.of(
            "UPDATE-UPDATE",
            List.of("UPDATE item SET v = 'early' WHERE id = 1", "UPDATE item SET v = 'late' WHERE id = 1"),
            "UPDATE-DELETE, deleted late",
            List.of("UPDATE item SET v = 'early' WHERE id = 2", "DELETE FROM item WHERE id = 2"),
            "UPDATE-DELETE, deleted early",
            List.of("DELETE FROM item WHERE id = 3", "UPDATE item SET v = 'late' WHERE id = 3"),
            "INSERT-INSERT",
            List.of("INSERT INTO item VALUES (4, 'early')", "INSERT INTO item VALUES (4, 'late')"),
            "KEY-UPDATE, moved early",
            List.of("UPDATE item SET id = 60 WHERE id = 6", "UPDATE item SET v = 'late' WHERE id = 6"),
            "KEY-UPDATE, moved late",
            List.of("UPDATE item SET v = 'early' WHERE id = 7", "UPDATE item SET id = 70 WHERE id = 7"),
            "KEY-UPDATE, moved by both",
            List.of("UPDATE item SET id = 80 WHERE id = 8", "UPDATE item SET id = 81 WHERE id = 8")));

    private static final String ALL = "SELECT string_agg(id || ' ' || v, ', ' ORDER BY id) FROM item";

    private final Mesh mesh;

    StrategyIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Whose rows a node ends with. */
    enum Winner {
        FIRST,
        SECOND,
        OWN,
        OTHER
    }

    static List<Arguments> strategies() {
        return List.of("a", "b").stream()
                .flatMap(first -> List.of(
                        Arguments.of("first_write_wins", "", first, Winner.FIRST),
                        Arguments.of("node_priority", ", priority => '{a,b}'", first, first("a", first)),
                        Arguments.of("node_priority", ", priority => '{b}'", first, first("b", first)),
                        Arguments.of("keep_local", "", first, Winner.OWN),
                        Arguments.of("apply_remote", "", first, Winner.OTHER),
                        Arguments.of("manual", "", first, Winner.OWN))
                        .stream())
                .toList();
    }

    private static Winner first(String preferred, String first) {
        return preferred.equals(first) ? Winner.FIRST : Winner.SECOND;
    }

    @ParameterizedTest(name = "{0}{1}, {2} writes first")
    @MethodSource("strategies")
    void decides(String strategy, String arguments, String first, Winner winner) {
        String second = mesh.other(first).id();
        Table table = mesh.table("id int PRIMARY KEY, v text", ROWS).strategy(strategy, arguments);
        mesh.pause();
        table.on(first, statements(0));
        table.on(second, statements(1));
        Map<String, String> before = Map.of(first, table.value(first, ALL), second, table.value(second, ALL));
        mesh.resume();
        for (String node : List.of(first, second)) {
            String from = switch (winner) {
                case FIRST -> first;
                case SECOND -> second;
                case OWN -> node;
                case OTHER -> mesh.other(node).id();
            };
            assertThat(table.value(node, ALL))
                    .as("rows of %s, as %s had them%s", node, from, table.allLogs())
                    .isEqualTo(before.get(from));
            assertThat(table.log(node))
                    .extracting(Entry::type)
                    .as("kinds on %s", node)
                    .hasSizeGreaterThanOrEqualTo(KINDS.size());
        }
        assertThat(identities(table, first)).containsExactlyInAnyOrderElementsOf(identities(table, second));
        assertThat(resolutions(table, first))
                .as("%s", table.allLogs())
                .isEqualTo(expected(winner, strategy, Winner.FIRST));
        assertThat(resolutions(table, second))
                .as("%s", table.allLogs())
                .isEqualTo(expected(winner, strategy, Winner.SECOND));
        if (winner == Winner.FIRST || winner == Winner.SECOND) {
            table.proven();
        }
    }

    /** What the entries of the node that wrote first, or second, say. */
    private static Set<String> expected(Winner winner, String strategy, Winner here) {
        if (strategy.equals("manual")) {
            return Set.of("PENDING");
        }
        return switch (winner) {
            case OWN -> Set.of("KEPT_LOCAL");
            case OTHER -> Set.of("APPLIED_REMOTE");
            default -> Set.of(winner == here ? "KEPT_LOCAL" : "APPLIED_REMOTE");
        };
    }

    private static Set<String> resolutions(Table table, String node) {
        return table.log(node).stream().map(Entry::resolution).collect(Collectors.toSet());
    }

    private static Set<String> identities(Table table, String node) {
        return table.log(node).stream().map(Entry::identity).collect(Collectors.toSet());
    }

    private static String[] statements(int side) {
        return KINDS.values().stream().map(both -> both.get(side)).toArray(String[]::new);
    }
}
