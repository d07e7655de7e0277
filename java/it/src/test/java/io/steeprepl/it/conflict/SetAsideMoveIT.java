package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of the key that one node sets aside: on no node is the row left under both keys, nor lost. */
@ExtendWith(ThreeNodes.class)
class SetAsideMoveIT {
    private static final String SHORT = "ALTER TABLE item ADD CONSTRAINT short CHECK (length(v) < 5)";
    private static final String ACCEPT = "ALTER TABLE item DROP CONSTRAINT short";

    private final Mesh mesh;

    SetAsideMoveIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private static String entries(Table item, String what) {
        return "SELECT string_agg(" + what + ", ', ' ORDER BY key->>'id') FROM steep_repl.conflict_log"
                + " WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '" + item.schema() + "'";
    }

    /** Node b cannot take the moves of rows 1 to 6 to 11 to 16. */
    private Table setAside(String strategy) {
        Table item = mesh.table("id int PRIMARY KEY, v text, n int", "(generate_series(1, 6), 'old', 0)")
                .strategy(strategy, "")
                .drained()
                .on("b", SHORT)
                .on("a", "UPDATE item SET id = id + 10, v = 'too long'");
        Mesh.await(mesh.node("b"), entries(item, "resolution"), "PENDING, ".repeat(5) + "PENDING");
        return item.drained();
    }

    @ParameterizedTest
    @ValueSource(strings = {"last_write_wins", "first_write_wins", "column_merge"})
    void theOldKeyGoesAndTheNewOneComesOrNeither(String strategy) {
        Table item = setAside(strategy);
        // Row 1: nobody. 2: b changes it under its old key. 3: b deletes it. 4: a changes it under its new key so
        // that it can stand.
        // 5: c, who has seen the move, gives it yet another key. 6: b inserts under the new key.
        item.on(
                        "b",
                        "UPDATE item SET n = 2 WHERE id = 2; DELETE FROM item WHERE id = 3; INSERT INTO item VALUES (16, 'own', 6)")
                .on("a", "UPDATE item SET v = 'a', n = 4 WHERE id = 14")
                .on("c", "UPDATE item SET id = 25, v = 'c' WHERE id = 15")
                .drained()
                .on("b", ACCEPT);
        List<String> rows = new ArrayList<>(List.of("11|too long|0", "14|a|4", "16|own|6", "25|c|0"));
        // Rows 2 and 3: what b wrote is the later.
        if (strategy.equals("first_write_wins")) {
            rows.addAll(1, List.of("12|too long|0", "13|too long|0"));
        } else {
            rows.addFirst("2|old|2");
        }
        item.awaitHolds(rows.toArray(String[]::new)).proven();
        Mesh.await(
                mesh.node("b"),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                "0");
    }

    /** Also while it cannot be applied: what has lost need not be. */
    @ParameterizedTest
    @ValueSource(strings = {"last_write_wins", "column_merge"})
    void aMoveThatLostIsUndoneOnAllNodesAtOnce(String strategy) {
        Table item = setAside(strategy).on("b", "UPDATE item SET n = id").drained();
        item.awaitHolds("1|old|1", "2|old|2", "3|old|3", "4|old|4", "5|old|5", "6|old|6")
                .proven();
        assertThat(mesh.node("b").query(entries(item, "resolution")))
                .isEqualTo("KEPT_LOCAL, ".repeat(5) + "KEPT_LOCAL");
        item.on("b", ACCEPT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"MERGED", "REMOTE"})
    void aPersonCanSayWhatBecomesOfIt(String side) {
        Table item = setAside("last_write_wins");
        if (side.equals("REMOTE")) {
            item.on("b", ACCEPT);
            item.awaitHolds(
                    "11|too long|0",
                    "12|too long|0",
                    "13|too long|0",
                    "14|too long|0",
                    "15|too long|0",
                    "16|too long|0");
        } else {
            for (int id = 11; id <= 16; id++) {
                String entry = "SELECT id FROM steep_repl.conflict_log WHERE table_schema = '" + item.schema()
                        + "' AND key->>'id' = '" + id + "'";
                item.call(
                        "b",
                        "SELECT steep_repl.resolve_conflict((" + entry + "), 'MERGED', '{\"v\": \"fits\", \"n\": 1}')");
            }
            item.awaitHolds("11|fits|1", "12|fits|1", "13|fits|1", "14|fits|1", "15|fits|1", "16|fits|1");
        }
        item.proven();
    }

    /** What a transaction does to a row after the change that was set aside is not undone when that is tried again. */
    @Test
    void itsTransactionWentOn() {
        String move = "UPDATE item SET id = id + 10, v = 'too long' WHERE id = ";
        Table item = mesh.table("id int PRIMARY KEY, v text, n int", "(generate_series(1, 6), 'old', 0)")
                .drained()
                .on("b", SHORT)
                .on(
                        "a",
                        move + "1; DELETE FROM item WHERE id = 11",
                        move + "2; UPDATE item SET id = 22, v = 'on' WHERE id = 12",
                        move + "3; UPDATE item SET v = 'fits' WHERE id = 13",
                        move + "4; INSERT INTO item VALUES (4, 'anew', 0)",
                        move + "5; UPDATE item SET id = 25, v = 'on' WHERE id = 15",
                        move + "6; UPDATE item SET v = 'too l.' WHERE id = 16");
        item.on("b", "UPDATE item SET n = 5 WHERE id = 5").drained();
        // Row 5: what b wrote under the old key is the later.
        String pending =
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'";
        Mesh.await(mesh.node("b"), pending, "3");
        item.on("b", ACCEPT);
        item.awaitHolds("4|anew|0", "5|old|5", "13|fits|0", "14|too long|0", "16|too l.|0", "22|on|0")
                .proven();
        Mesh.await(mesh.node("b"), pending, "0");
    }

    /** Strings that are documents, numbers in strings, and documents that are nested deeply. */
    @Test
    void documentsStayWhatTheyAre() {
        String deep = "[".repeat(200) + "]".repeat(200);
        Table item = mesh.table(
                        "id int PRIMARY KEY, v text, j jsonb UNIQUE",
                        "(1, 'old', '\"abc\"')",
                        "(2, 'old', '\"5\"')",
                        "(3, 'old', '" + deep + "')",
                        "(4, 'old', '5')")
                .drained()
                .on("b", SHORT)
                .on("a", "UPDATE item SET id = id + 10, v = 'too long' WHERE id < 4");
        Mesh.await(mesh.node("b"), entries(item, "resolution"), "PENDING, PENDING, PENDING");
        item.on("b", ACCEPT)
                .awaitHolds("4|old|5", "11|too long|\"abc\"", "12|too long|\"5\"", "13|too long|" + deep)
                .proven();
    }
}
