package io.steeprepl.it.conflict;

import static io.steeprepl.it.conflict.Conflict.Seen.BY_THE_LATER;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every kind of conflict between two nodes: the later write stays, and both have the other one in their logs. */
@ExtendWith(TwoNodes.class)
class KindsIT {
    private static final String COLUMNS = "id int PRIMARY KEY, v text";

    private final Mesh mesh;

    KindsIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @WhoeverIsFirst
    void theLaterOfTwoInsertsStays(String first) {
        mesh.table(COLUMNS)
                .apart(first, "INSERT INTO item VALUES (1, 'early')", "INSERT INTO item VALUES (1, 'late')")
                .holds("1|late")
                .logged(first, Conflict.of("INSERT-INSERT").earlier("1|early").later("1|late"));
    }

    @WhoeverIsFirst
    void theLaterOfTwoUpdatesStays(String first) {
        mesh.table(COLUMNS, "(1, 'old')", "(2, 'untouched')")
                .apart(first, "UPDATE item SET v = 'early' WHERE id = 1", "UPDATE item SET v = 'late' WHERE id = 1")
                .holds("1|late", "2|untouched")
                .logged(
                        first,
                        Conflict.of("UPDATE-UPDATE")
                                .earlier("1|early")
                                .later("1|late")
                                .base("1|old"));
    }

    @WhoeverIsFirst
    void ofUpdatesOfDifferentColumnsTheLaterRowStaysWhole(String first) {
        mesh.table("id int PRIMARY KEY, v text, w text", "(1, 'v', 'w')")
                .apart(first, "UPDATE item SET v = 'early'", "UPDATE item SET w = 'late'")
                .holds("1|v|late")
                .logged(
                        first,
                        Conflict.of("UPDATE-UPDATE")
                                .earlier("1|early|w")
                                .later("1|v|late")
                                .base("1|v|w"));
    }

    @WhoeverIsFirst
    void aLaterDeletionTakesAnUpdatedRowAway(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "UPDATE item SET v = 'early'", "DELETE FROM item")
                .holds()
                .logged(first, Conflict.of("UPDATE-DELETE").earlier("1|early").base("1|old"));
    }

    @WhoeverIsFirst
    void aLaterUpdateBringsADeletedRowBack(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "DELETE FROM item", "UPDATE item SET v = 'late'")
                .holds("1|late")
                .logged(first, Conflict.of("UPDATE-DELETE").later("1|late").base("1|old"));
    }

    @WhoeverIsFirst
    void deletedOnBothSidesIsNoConflict(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "DELETE FROM item", "DELETE FROM item")
                .holds()
                .noConflict();
    }

    @WhoeverIsFirst
    void aRowInsertedAgainAfterBothDeletedItStays(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "DELETE FROM item", "DELETE FROM item; INSERT INTO item VALUES (1, 'late')")
                .holds("1|late")
                .logged(
                        first,
                        Conflict.of("DELETE-INSERT")
                                .later("1|late")
                                .base("1|old")
                                .seen(BY_THE_LATER));
    }

    @WhoeverIsFirst
    void aLaterDeletionTakesARowAwayThatWasInsertedAgain(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "DELETE FROM item; INSERT INTO item VALUES (1, 'early')", "DELETE FROM item")
                .holds()
                .logged(first, Conflict.of("DELETE-INSERT").earlier("1|early").base("1|old"));
    }

    @WhoeverIsFirst
    void theLaterOfTwoKeysStays(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "UPDATE item SET id = 2", "UPDATE item SET id = 3")
                .holds("3|old")
                .logged(
                        first,
                        Conflict.of("KEY-UPDATE")
                                .earlierMoved("2|old")
                                .laterMoved("3|old")
                                .base("1|old"));
    }

    @WhoeverIsFirst
    void aLaterUpdateKeepsARowUnderItsOldKey(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "UPDATE item SET id = 2", "UPDATE item SET v = 'late'")
                .holds("1|late")
                .logged(
                        first,
                        Conflict.of("KEY-UPDATE")
                                .earlierMoved("2|old")
                                .later("1|late")
                                .base("1|old"));
    }

    @ParameterizedTest
    @CsvSource({"a, last_write_wins", "b, last_write_wins", "a, column_merge"})
    void whatItsTransactionMadeOfARowWhoseMoveLostGoesWithIt(String first, String strategy) {
        Table table = mesh.table(COLUMNS, "(1, 'old')")
                .strategy(strategy, "")
                .drained()
                .apart(first, "UPDATE item SET id = 2; UPDATE item SET v = 'then'", "UPDATE item SET v = 'late'")
                .holds("1|late")
                .proven();
        assertThat(table.log(mesh.other(first).id()))
                .extracting(Entry::brief)
                .contains("KEY-UPDATE here - of -, arrived 2|then of " + first + ", base 2|old: local KEPT_LOCAL");
    }

    @WhoeverIsFirst
    void aLaterMoveTakesTheRowAlong(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "UPDATE item SET v = 'early'", "UPDATE item SET id = 2")
                .holds("2|old")
                .logged(
                        first,
                        Conflict.of("KEY-UPDATE")
                                .earlier("1|early")
                                .laterMoved("2|old")
                                .base("1|old"));
    }

    @WhoeverIsFirst
    void aLaterDeletionTakesAMovedRowAway(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "UPDATE item SET id = 2", "DELETE FROM item")
                .holds()
                .logged(first, Conflict.of("KEY-UPDATE").earlierMoved("2|old").base("1|old"));
    }

    @WhoeverIsFirst
    void aLaterMoveBringsADeletedRowBack(String first) {
        mesh.table(COLUMNS, "(1, 'old')")
                .apart(first, "DELETE FROM item", "UPDATE item SET id = 2")
                .holds("2|old")
                .logged(first, Conflict.of("KEY-UPDATE").laterMoved("2|old").base("1|old"));
    }

    @WhoeverIsFirst
    void swappedKeysAndALaterUpdateOfOneConverge(String first) {
        String swap =
                "UPDATE item SET id = 9 WHERE id = 1; UPDATE item SET id = 1 WHERE id = 2; UPDATE item SET id = 2 WHERE id = 9";
        mesh.table(COLUMNS, "(1, 'x')", "(2, 'y')")
                .apart(first, swap, "UPDATE item SET v = 'late' WHERE id = 1")
                // The row that the update changed does not stand under key 2 as well; the one that moved to 1 lost it.
                .holds("1|late")
                .proven();
    }

    @WhoeverIsFirst
    void keysSwappedOnBothSidesAreSwappedOnce(String first) {
        String swap =
                "UPDATE item SET id = 9 WHERE id = 1; UPDATE item SET id = 1 WHERE id = 2; UPDATE item SET id = 2 WHERE id = 9";
        mesh.table(COLUMNS, "(1, 'x')", "(2, 'y')")
                .apart(first, swap, swap)
                .holds("1|y", "2|x")
                .proven();
    }

    @WhoeverIsFirst
    void movesOfDifferentRowsToOneKeyKeepTheLater(String first) {
        mesh.table(COLUMNS, "(1, 'x')", "(2, 'y')")
                .apart(first, "UPDATE item SET id = 3 WHERE id = 1", "UPDATE item SET id = 3 WHERE id = 2")
                .holds("3|y")
                .logged(
                        first,
                        Conflict.of("KEY-UPDATE")
                                .earlier("3|x")
                                .base("2|y")
                                .earlierBase("1|x")
                                .later("3|y"));
    }

    @WhoeverIsFirst
    void theLaterOfTwoRowsWithOneUniqueValueStays(String first) {
        mesh.table("id int PRIMARY KEY, u text UNIQUE")
                .apart(first, "INSERT INTO item VALUES (1, 'x')", "INSERT INTO item VALUES (2, 'x')")
                .holds("2|x")
                .logged(first, Conflict.of("UNIQUE").earlier("1|x").later("2|x"));
    }

    @WhoeverIsFirst
    void aValueThatIsClaimedByAnUpdateStaysWithTheLater(String first) {
        mesh.table("id int PRIMARY KEY, u text UNIQUE", "(1, 'x')", "(2, 'y')")
                .apart(first, "UPDATE item SET u = 'z' WHERE id = 1", "UPDATE item SET u = 'z' WHERE id = 2")
                .holds("2|z")
                .logged(first, Conflict.of("UNIQUE").earlier("1|z").later("2|z"));
    }
}
