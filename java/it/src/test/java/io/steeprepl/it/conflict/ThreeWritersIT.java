package io.steeprepl.it.conflict;

import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Three nodes write one row or one value at once: first a, then b, then c. All end alike, in whatever order the links come back. */
@ExtendWith(ThreeNodes.class)
class ThreeWritersIT {
    private final Mesh mesh;

    ThreeWritersIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private record Story(Table table, String a, String b, String c, List<String> end) {}

    private Story story(String rows, String a, String b, String c, String... end) {
        String[] values = rows.isEmpty() ? new String[0] : new String[] {rows};
        Table table = mesh.plain("CREATE TABLE item (id int PRIMARY KEY, v text UNIQUE, w text UNIQUE)", "item", values)
                .addLater();
        return new Story(table, a, b, c, List.of(end));
    }

    /** Links as receiver and sender, in the order in which they come back. */
    @ParameterizedTest(name = "links come back as {0}")
    @ValueSource(strings = {"ab ac ba bc ca cb", "cb ca bc ba ac ab"})
    void theLatestOfThreeStays(String order) {
        List<Story> stories = List.of(
                story(
                        "(1, 'old', 'w')",
                        "UPDATE item SET v = 'a'",
                        "UPDATE item SET v = 'b'",
                        "UPDATE item SET v = 'c'",
                        "1|c|w"),
                story(
                        "",
                        "INSERT INTO item VALUES (1, 'a')",
                        "INSERT INTO item VALUES (1, 'b')",
                        "INSERT INTO item VALUES (1, 'c')",
                        "1|c|null"),
                story(
                        "(1, 'old', 'w')",
                        "UPDATE item SET v = 'a'",
                        "DELETE FROM item",
                        "UPDATE item SET v = 'c'",
                        "1|c|w"),
                story("(1, 'old', 'w')", "UPDATE item SET id = 2", "UPDATE item SET v = 'b'", "DELETE FROM item"),
                story(
                        "(1, 'old', 'w')",
                        "UPDATE item SET id = 2",
                        "UPDATE item SET id = 3",
                        "UPDATE item SET id = 4",
                        "4|old|w"),
                story(
                        "(1, 'old', 'w')",
                        "DELETE FROM item",
                        "UPDATE item SET id = 2",
                        "UPDATE item SET v = 'c'",
                        "1|c|w"),
                story(
                        "",
                        "INSERT INTO item VALUES (1, 'x')",
                        "INSERT INTO item VALUES (2, 'x')",
                        "INSERT INTO item VALUES (3, 'x')",
                        "3|x|null"));
        Table chain = mesh.plain("CREATE TABLE item (id int PRIMARY KEY, v text UNIQUE, w text UNIQUE)", "item")
                .addLater();
        stories.forEach(story -> story.table().awaitReady());
        chain.awaitReady();
        mesh.pause();
        stories.forEach(story -> story.table().on("a", story.a()));
        chain.on("a", "INSERT INTO item VALUES (1, 'x', NULL)");
        stories.forEach(story -> story.table().on("b", story.b()));
        chain.on("b", "INSERT INTO item VALUES (2, 'x', 'q')");
        stories.forEach(story -> story.table().on("c", story.c()));
        chain.on("c", "INSERT INTO item VALUES (3, NULL, 'q')");
        for (String link : order.split(" ")) {
            mesh.receive(link.substring(0, 1), link.substring(1));
        }
        mesh.resume();
        stories.forEach(
                story -> story.table().holds(story.end().toArray(String[]::new)).proven());
        // Whether the first is displaced by the second depends on who met whom; what is left is the same everywhere.
        chain.isEqual()
                .answers("SELECT v, w FROM item WHERE id = 3", "null|q")
                .answers("SELECT id FROM item WHERE id = 2")
                .proven();
    }
}
