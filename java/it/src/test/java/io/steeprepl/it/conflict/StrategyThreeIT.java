package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Strategies among three nodes: a third one cannot tell who had seen what, and comes to what the two writers decided. */
@ExtendWith(ThreeNodes.class)
class StrategyThreeIT {
    private static final String COLUMNS = "id int PRIMARY KEY, v text";

    private final Mesh mesh;

    StrategyThreeIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @ParameterizedTest(name = "{0}{1}, c hears of {2} first: {3}")
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "first_write_wins, \"\", a, early",
                "first_write_wins, \"\", b, early",
                "node_priority, \", priority => '{b,c,a}'\", a, late",
                "node_priority, \", priority => '{a,c,b}'\", a, early",
                "node_priority, \", priority => '{a,c,b}'\", b, early"
            })
    void theThirdFollows(String strategy, String arguments, String heardFirst, String expected) {
        Table table =
                mesh.table(COLUMNS, "(1, 'old')", "(2, 'old')", "(3, 'old')").strategy(strategy, arguments);
        mesh.pause();
        table.on("a", "UPDATE item SET v = 'early'", "INSERT INTO item VALUES (4, 'early')");
        table.on("b", "UPDATE item SET v = 'late'", "INSERT INTO item VALUES (4, 'late')");
        mesh.receive("c", heardFirst);
        mesh.resume();
        table.proven().holds("1|" + expected, "2|" + expected, "3|" + expected, "4|" + expected);
    }

    @Test
    void aWriteThatHadSeenTheOtherIsNotTakenBack() {
        Table table = mesh.table(COLUMNS, "(1, 'old')").strategy("first_write_wins", "");
        mesh.pause("c", "a");
        table.on("a", "UPDATE item SET v = 'seen'");
        Mesh.await(mesh.node("b"), "SELECT v FROM " + table.schema() + ".item", "seen");
        table.on("b", "UPDATE item SET v = 'then'");
        // c has the second write before the first, which it had seen.
        Mesh.await(mesh.node("c"), "SELECT v FROM " + table.schema() + ".item", "then");
        mesh.resume();
        table.proven().holds("1|then");
    }

    @Test
    void aRowThatWasDeletedBySomebodyWhoHadSeenItDoesNotComeBack() {
        Table table =
                mesh.table(COLUMNS, "(1, 'old')", "(2, 'old')", "(3, 'old')").strategy("first_write_wins", "");
        mesh.pause();
        table.on("a", "UPDATE item SET v = 'seen'", "UPDATE item SET v = 'again' WHERE id = 2");
        mesh.receive("b", "a");
        table.on("b", "DELETE FROM item");
        table.on("c", "DELETE FROM item");
        // Of the two deletions its own is the later; it has not seen the rows that are older than both.
        mesh.receive("c", "b");
        table.on("c", "INSERT INTO item VALUES (3, 'new')");
        mesh.resume();
        table.proven().holds("3|new");
    }

    @Test
    void writesOfThreeComeToOne() {
        Table table = mesh.table(COLUMNS, "(1, 'old')").strategy("node_priority", ", priority => '{c,a}'");
        mesh.pause();
        table.on("a", "UPDATE item SET v = 'a1'", "UPDATE item SET v = 'a2'");
        table.on("b", "UPDATE item SET v = 'b1'");
        table.on("c", "UPDATE item SET v = 'c1'", "UPDATE item SET v = 'c2'");
        table.on("b", "UPDATE item SET v = 'b2'");
        mesh.resume();
        table.proven().holds("1|c2");
    }

    @Test
    void aSettingReachesAllNodesAndTheLatestCounts() {
        Table table = mesh.table(COLUMNS, "(1, 'old')");
        mesh.pause();
        table.on("a", "SELECT steep_repl.set_conflict_strategy('item', 'keep_local')");
        table.on("b", "SELECT steep_repl.set_conflict_strategy('item', 'node_priority', '{b,a}')");
        mesh.resume();
        for (TestNode node : mesh.nodes()) {
            assertThat(table.rows(
                            node,
                            "SELECT strategy, priority FROM steep_repl.replicated_tables() WHERE table_schema = '"
                                    + table.schema() + "'"))
                    .as(node.id())
                    .isEqualTo(List.of("node_priority|{b,a}"));
        }
    }

    @Test
    void decisionsMadeWhileASettingWasOnItsWayBecomeOne() {
        Table table = mesh.table(COLUMNS, "(1, 'old')");
        mesh.pause();
        table.on("a", "UPDATE item SET v = 'early'");
        table.on("b", "UPDATE item SET v = 'late'");
        // a decides by the new strategy, b by the old.
        table.on("a", "SELECT steep_repl.set_conflict_strategy('item', 'first_write_wins')");
        mesh.receive("a", "b");
        mesh.resume();
        table.proven().holds("1|early");
    }
}
