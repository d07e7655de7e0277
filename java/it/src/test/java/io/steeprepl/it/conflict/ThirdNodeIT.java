package io.steeprepl.it.conflict;

import static io.steeprepl.it.conflict.ThirdNodeStories.SEEN;
import static io.steeprepl.it.conflict.ThirdNodeStories.UNSEEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.it.conflict.ThirdNodeStory.Order;
import io.steeprepl.testkit.TestNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ListAssert;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a writes and then b, reaches a third node in any order: all nodes end alike and have logged what was lost, and the third one is sure of no conflict. */
@ExtendWith(ThreeNodes.class)
class ThirdNodeIT {
    private static final Map<String, String> RESOLUTION =
            Map.of("local", "KEPT_LOCAL", "remote", "APPLIED_REMOTE", "nobody", "PENDING");
    private final Mesh mesh;

    ThirdNodeIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @ParameterizedTest(name = "in the order {0}")
    @EnumSource
    void allNodesEndAlikeInWhateverOrderAThirdOneHears(Order order) {
        Map<ThirdNodeStory, Table> unseen = tables(UNSEEN);
        Map<ThirdNodeStory, Table> seen = tables(SEEN);
        Map<ThirdNodeStory, Table> all = new LinkedHashMap<>(seen);
        all.putAll(unseen);
        mesh.pause();
        seen.forEach((story, table) -> table.on("a", story.a()));
        mesh.receive("b", "a");
        mesh.pause("b", "a");
        unseen.forEach((story, table) -> table.on("a", story.a()));
        if (order == Order.ABB) {
            mesh.receive("c", "a");
        }
        all.forEach((story, table) -> table.on("b", story.b().getFirst()));
        if (order == Order.BAB) {
            mesh.receive("c", "b");
            mesh.pause("c", "b");
            mesh.receive("c", "a");
        }
        all.forEach((story, table) -> table.on("b", story.then()));
        mesh.receive("c", "b");
        mesh.resume();
        SoftAssertions softly = new SoftAssertions();
        all.forEach((story, table) ->
                softly.assertThatCode(() -> check(story, table, order)).doesNotThrowAnyException());
        softly.assertAll();
    }

    @Test
    void wideRowsReachAThirdNodeThatHearsTheLaterWritesFirst() {
        Table item = mesh.table(
                "id int PRIMARY KEY, v text STORAGE EXTERNAL, w text",
                "(1, repeat('o', 9000), 'old')",
                "(2, repeat('o', 9000), 'old')",
                "(3, repeat('o', 9000), 'old')");
        mesh.pause();
        item.on(
                "a",
                "UPDATE item SET v = repeat('a', 9000) WHERE id = 1; UPDATE item SET w = 'early' WHERE id = 2; DELETE FROM item WHERE id = 3");
        mesh.receive("b", "a");
        item.on("b", "UPDATE item SET w = 'late' WHERE id = 1; UPDATE item SET v = repeat('b', 9000) WHERE id = 2");
        mesh.pause("b", "a");
        item.on("a", "UPDATE item SET w = 'latest' WHERE id = 2");
        mesh.receive("c", "b");
        mesh.resume();
        item.answers("SELECT id, left(v, 1), length(v), w FROM item ORDER BY id", "1|a|9000|late", "2|o|9000|latest")
                .proven();
    }

    /** What is older than the memory of versions is older than everything, also once it is displaced. */
    @Test
    void aRowOfUnknownAgeThatHasGivenItsValueUpComesBack() {
        Table item = mesh.table("id int PRIMARY KEY, v text UNIQUE", "(1, 'old')")
                .on("c", "DELETE FROM steep_repl.row_versions WHERE relation = 'item'::regclass");
        mesh.pause();
        item.on("a", "UPDATE item SET v = 'other'");
        mesh.receive("b", "a");
        item.on("b", "INSERT INTO item VALUES (2, 'old')");
        mesh.receive("c", "b");
        mesh.resume();
        item.holds("1|other", "2|old").proven();
    }

    private void check(ThirdNodeStory story, Table table, Order order) {
        table.holds(story.end().toArray(String[]::new)).proven();
        for (TestNode node : mesh.nodes()) {
            List<Entry> log = table.log(node.id());
            List<String> expected = story.expected(node.id(), order);
            ListAssert<String> entries = assertThat(ThirdNodeStory.actual(log, expected))
                    .as("«%s», conflict log of %s%s", story.name(), node.id(), table.allLogs());
            entries.doesNotHaveDuplicates();
            if (story.told()) {
                entries.isSubsetOf(story.allowed(node.id(), order));
            }
            // A clash of values may be settled by one of them before the others meet it.
            if (!story.unique()) {
                entries.containsAll(expected);
            }
            assertThat(log)
                    .allSatisfy(entry -> assertThat(entry.resolution()).isEqualTo(RESOLUTION.get(entry.winner())));
            // Those that wait for a person, too.
            String unproven = "SELECT count(*) FROM steep_repl.conflict_log WHERE table_schema = '" + table.schema()
                    + "' AND (converged_at IS NULL OR not_converged_reason IS NOT NULL)";
            Mesh.await(node, unproven, "0");
        }
        if (UNSEEN.contains(story)) {
            assertThat(mesh.nodes().stream().flatMap(node -> table.log(node.id()).stream()))
                    .as("«%s»: somebody must have what was lost", story.name())
                    .isNotEmpty();
        }
    }

    private Map<ThirdNodeStory, Table> tables(List<ThirdNodeStory> stories) {
        Map<ThirdNodeStory, Table> tables = new LinkedHashMap<>();
        stories.forEach(story -> tables.put(
                story,
                mesh.plain(
                        "CREATE TABLE item (id int PRIMARY KEY, v text" + (story.unique() ? " UNIQUE)" : ")"),
                        "item",
                        story.before().toArray(String[]::new))));
        tables.values().forEach(Table::addLater);
        tables.values().forEach(Table::awaitReady);
        return tables;
    }
}
