package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is in the log, or remembered, from before the columns of a table were changed on all nodes is read as a row of the table as it is now. */
@ExtendWith(TwoNodes.class)
class AlteredTableIT {
    private static final String COLUMNS = "id int PRIMARY KEY, v text, n int";

    private final Mesh mesh;

    AlteredTableIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Where PostgreSQL writes the whole table anew, all its rows are later than the conflict. */
    private static String force(boolean rewritten) {
        return ", p_force => " + rewritten;
    }

    @ParameterizedTest(name = "{0} on {3}")
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            ALTER n TYPE numeric(8,2) ; true ; 1|early|5.00 ; a
            ALTER n TYPE numeric(8,2) ; true ; 1|early|5.00 ; b
            ALTER n TYPE text ; true ; 1|early|5 ; a
            ALTER v TYPE varchar(8) ; true ; 1|early|5 ; b
            ALTER v TYPE jsonb USING to_jsonb(v) ; true ; 1|"early"|5 ; a
            ADD w int NOT NULL DEFAULT 3 ; false ; 1|early|5|3 ; a
            ADD w text NOT NULL DEFAULT 'new' ; false ; 1|early|5|new ; b
            DROP n ; false ; 1|early ; a
            DROP n, ADD n numeric(4,1) DEFAULT 0 ; false ; 1|early|5.0 ; b
            """)
    void theRowThatLostComesBack(String change, boolean rewritten, String row, String node) {
        Table item = mesh.table(COLUMNS, "(1, 'old', 1)")
                .apart("a", "UPDATE item SET v = 'early', n = 5", "UPDATE item SET v = 'late', n = 7")
                .holds("1|late|7")
                .proven();
        item.everywhere("ALTER TABLE item " + change);
        item.call(node, "SELECT steep_repl.revert_resolution(" + item.entry(node) + force(rewritten) + ") > 0");
        item.drained().holds(row).proven();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            ALTER n TYPE numeric(8,2) ; 1|early|5.00
            ADD w int NOT NULL DEFAULT 3 ; 1|early|5|3
            DROP n ; 1|early
            """)
    void aRowThatLostToADeletionComesBack(String change, String row) {
        Table item = mesh.table(COLUMNS, "(1, 'old', 1)")
                .apart("a", "UPDATE item SET v = 'early', n = 5", "DELETE FROM item")
                .holds()
                .proven();
        item.everywhere("ALTER TABLE item " + change);
        item.call("b", "SELECT steep_repl.revert_resolution(" + item.entry("b") + ") > 0");
        item.drained().holds(row).proven();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            ALTER v TYPE varchar ; last_write_wins ; 1|not on b|5
            ALTER v TYPE varchar ; column_merge ; 1|not on b|5
            ADD w int NOT NULL DEFAULT 3 ; last_write_wins ; 1|not on b|5|3
            ADD w int NOT NULL DEFAULT 3 ; column_merge ; 1|not on b|5|3
            ADD w text NOT NULL DEFAULT 'new' ; last_write_wins ; 1|not on b|5|new
            DROP n ; last_write_wins ; 1|not on b
            """)
    void aChangeThatWasSetAsideIsApplied(String change, String strategy, String row) {
        Table item = mesh.table(COLUMNS, "(1, 'old', 1)").strategy(strategy, "").drained();
        String there =
                "SELECT resolution FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '"
                        + item.schema() + "'";
        item.on("b", "ALTER TABLE item ADD CONSTRAINT not_here CHECK (v <> 'not on b')");
        item.on("a", "UPDATE item SET v = 'not on b', n = 5");
        Mesh.await(mesh.node("b"), there, "PENDING");
        // At once, or it comes by way of the proof.
        mesh.pause();
        item.on("a", "ALTER TABLE item " + change);
        item.on("b", "ALTER TABLE item DROP CONSTRAINT not_here; ALTER TABLE item " + change);
        // The worker may have been quicker.
        assertThat(item.error("b", "SELECT steep_repl.resolve_conflict(" + item.entry("b") + ", 'REMOTE')"))
                .matches("no error|(?s)SR062 .*");
        Mesh.await(mesh.node("b"), there.replace("resolution FROM", "resolution <> 'PENDING' FROM"), "t");
        mesh.resume();
        item.holds(row).proven();
    }

    /** One node must have it before the other writes it. */
    @ParameterizedTest
    @ValueSource(strings = {"last_write_wins", "column_merge"})
    void aColumnThatOneNodeHasFirstKeepsWhatItHasThere(String strategy) {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')", "(2, 'old')")
                .strategy(strategy, "")
                .on("b", "UPDATE item SET v = 'of b' WHERE id = 1")
                .drained();
        mesh.pause();
        item.on("b", "DELETE FROM item WHERE id = 2", "ALTER TABLE item ADD w int NOT NULL DEFAULT 3");
        item.on("a", "UPDATE item SET v = 'late' WHERE id = 2", "UPDATE item SET v = 'had seen it' WHERE id = 1");
        mesh.resume();
        item.on("a", "ALTER TABLE item ADD w int NOT NULL DEFAULT 3");
        item.holds("1|had seen it|3", "2|late|3").proven();
        assertThat(item.log("b"))
                .extracting(Entry::type, Entry::remote, Entry::winner)
                .containsExactly(tuple("UPDATE-DELETE", "2|late|3", "remote"));
    }

    @Test
    void aColumnThatOneNodeHasFirstKeepsWhatItHasBesideAChangeThatIsSetAside() {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')", "(2, 'old')", "(3, 'old')");
        item.on("b", "ALTER TABLE item ADD w int DEFAULT 3, ADD CONSTRAINT not_here CHECK (v <> 'not on b')");
        item.on(
                "a",
                "UPDATE item SET v = 'not on b' WHERE id = 1; UPDATE item SET v = 'new' WHERE id = 2; INSERT INTO item VALUES (4, 'new')");
        Mesh.await(
                mesh.node("b"),
                "SELECT string_agg(format('%s %s %s', id, v, w), ', ' ORDER BY id) FROM " + item.schema() + ".item",
                "1 old 3, 2 new 3, 3 old 3, 4 new 3");
        item.on("a", "ALTER TABLE item ADD w int DEFAULT 3");
        item.on("b", "ALTER TABLE item DROP CONSTRAINT not_here");
        item.proven();
        Mesh.await(mesh.node("b"), "SELECT v FROM " + item.schema() + ".item WHERE id = 1", "not on b");
        item.holds("1|not on b|3", "2|new|3", "3|old|3", "4|new|3");
    }

    /** The deletion is remembered as it was before the rows of the table were folds, and before it was changed. */
    @ParameterizedTest(name = "{0}, {1} deletes first")
    @CsvSource(delimiter = ';', textBlock = """
            ALTER n TYPE numeric(8,2) ; a
            ALTER n TYPE numeric(8,2) ; b
            ADD w int NOT NULL DEFAULT 3 ; a
            ADD w int NOT NULL DEFAULT 3 ; b
            """)
    void aFoldGoesOnFromADeletionBeforeIt(String change, String first) {
        String second = mesh.other(first).id();
        Table item = mesh.table("id int PRIMARY KEY, v text, n int NOT NULL DEFAULT 0", "(1, 'old', 1)");
        mesh.pause();
        item.on(first, "DELETE FROM item");
        item.on(second, "UPDATE item SET v = 'late', n = n + 4");
        item.on(first, "SELECT steep_repl.set_conflict_strategy('item', 'column_merge', delta_columns => ARRAY['n'])");
        item.everywhere("ALTER TABLE item " + change);
        mesh.resume();
        item.isEqual().proven();
        item.answers("SELECT id, v, n FROM item", change.startsWith("ALTER") ? "1|late|5.00" : "1|late|5");
    }
}
