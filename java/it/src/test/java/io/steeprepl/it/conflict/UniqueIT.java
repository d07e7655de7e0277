package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Unique indexes of all kinds: the later row stays on all nodes, what does not clash is left alone. */
@ExtendWith(TwoNodes.class)
class UniqueIT {
    private final Mesh mesh;

    UniqueIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            partial            | CREATE UNIQUE INDEX ON item (u) WHERE live                             | 'x', 1, true
            several columns    | CREATE UNIQUE INDEX ON item (u, n)                                     | 'x', 1, true
            expression         | CREATE UNIQUE INDEX ON item (lower(u))                                 | 'x', 1, true
            included columns   | CREATE UNIQUE INDEX ON item (u) INCLUDE (n)                            | 'x', 1, true
            nulls not distinct | CREATE UNIQUE INDEX ON item (n) NULLS NOT DISTINCT                     | 'x', NULL, true
            descending         | CREATE UNIQUE INDEX ON item (u DESC NULLS LAST, (n + 1))               | 'x', 1, true
            other collation    | CREATE UNIQUE INDEX ON item (u COLLATE "und-x-icu")                    | 'x', 1, true
            deferrable         | ALTER TABLE item ADD UNIQUE (u) DEFERRABLE                             | 'x', 1, true
            deferred           | ALTER TABLE item ADD UNIQUE (u, n) DEFERRABLE INITIALLY DEFERRED       | 'x', 1, true
            """)
    void theLaterOfTwoRowsStays(String kind, String index, String values) {
        mesh.tableOf("CREATE TABLE item (id int PRIMARY KEY, u text, n int, live boolean); " + index, "item")
                .apart(
                        "a",
                        "INSERT INTO item VALUES (1, " + values + ")",
                        "INSERT INTO item VALUES (2, " + values + ")")
                .answers("SELECT id FROM item", "2")
                .answers(
                        "SELECT conflict_type, count(*) FROM steep_repl.conflict_log c WHERE table_schema = current_schema() GROUP BY 1",
                        "UNIQUE|1")
                .proven();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            outside of a partial index | CREATE UNIQUE INDEX ON item (u) WHERE live | 'x', false | 'x', true
            distinct nulls             | CREATE UNIQUE INDEX ON item (u)            | NULL, true | NULL, true
            one of two columns         | CREATE UNIQUE INDEX ON item (u, live)      | 'x', true  | 'x', false
            an expression that differs | CREATE UNIQUE INDEX ON item (length(u))    | 'x', true  | 'xx', true
            """)
    void rowsThatDoNotClashAreLeftAlone(String kind, String index, String one, String other) {
        mesh.tableOf("CREATE TABLE item (id int PRIMARY KEY, u text, live boolean); " + index, "item")
                .apart("b", "INSERT INTO item VALUES (1, " + one + ")", "INSERT INTO item VALUES (2, " + other + ")")
                .answers("SELECT id FROM item ORDER BY 1", "1", "2")
                .noConflict();
    }

    @Test
    void positionsThatMoveUpTogetherAreNoConflict() {
        mesh.tableOf(
                        "CREATE TABLE item (id int PRIMARY KEY, pos int UNIQUE DEFERRABLE)",
                        "item",
                        "(1, 1)",
                        "(2, 2)",
                        "(3, 3)")
                .on(
                        "a",
                        "UPDATE item SET pos = pos + 1",
                        "UPDATE item SET pos = CASE pos WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE pos END");
        mesh.drain();
        Table last = mesh.tableOf(
                "CREATE TABLE item (id int PRIMARY KEY, pos int UNIQUE DEFERRABLE)", "item", "(1, 1)", "(2, 2)");
        last.on(
                "b",
                "BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE item SET pos = 2 WHERE id = 1; UPDATE item SET pos = 1 WHERE id = 2; COMMIT");
        mesh.drain();
        last.holds("1|2", "2|1").noConflict();
    }

    @WhoeverIsFirst
    void oneRowThatClashesWithTwoOthersIsLoggedForBoth(String first) {
        mesh.table("id int PRIMARY KEY, u text UNIQUE, w text UNIQUE")
                .apart(
                        first,
                        "INSERT INTO item VALUES (1, 'x', NULL), (2, NULL, 'y')",
                        "INSERT INTO item VALUES (3, 'x', 'y')")
                .holds("3|x|y")
                .logged(
                        first,
                        Conflict.of("UNIQUE").earlier("1|x|null").later("3|x|y"),
                        Conflict.of("UNIQUE").earlier("2|null|y").later("3|x|y"));
    }

    @WhoeverIsFirst
    void aDisplacedRowStaysAwayWhenTheWinnerIsDeletedAndComesBackWithANewWrite(String first) {
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE")
                .apart(first, "INSERT INTO item VALUES (1, 'x')", "INSERT INTO item VALUES (2, 'x')");
        item.holds("2|x").on(first, "DELETE FROM item");
        mesh.drain();
        item.holds().on(first, "INSERT INTO item VALUES (1, 'x')");
        mesh.drain();
        item.holds("1|x");
    }

    @ParameterizedTest
    @ValueSource(strings = {"last_write_wins", "column_merge"})
    void whatItsTransactionMadeOfADisplacedRowGoesWithIt(String strategy) {
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE, v text")
                .strategy(strategy, "")
                .apart(
                        "a",
                        "INSERT INTO item VALUES (1, 'x', 'first'); UPDATE item SET v = 'then'",
                        "INSERT INTO item VALUES (2, 'x', 'late')");
        item.holds("2|x|late").proven();
        assertThat(item.log("b"))
                .extracting(Entry::brief)
                .containsExactlyInAnyOrder(
                        "UNIQUE here 2|x|late of b, arrived 1|x|first of a, base -: local KEPT_LOCAL",
                        "UNIQUE here - of -, arrived 1|x|then of a, base 1|x|first: local KEPT_LOCAL");
    }

    /**
     * The apply worker waits in the index for a session that holds the value. When that commits it fails once and comes again at
     * once; then the two are decided as any other. When it rolls back there was nothing.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSessionThatHoldsTheValueIsWaitedForAndThenDecided(boolean commits) throws SQLException {
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE");
        String failed =
                "SELECT coalesce(max(tries), 0) FROM steep_repl.apply_failures WHERE message LIKE '%item_u_key%'"
                        + " AND last_try > now() - interval '1 hour'";
        String before = mesh.node("b").query(failed);
        try (var connection = mesh.node("b").connect();
                var session = connection.createStatement()) {
            connection.setAutoCommit(false);
            session.execute("INSERT INTO " + item.schema() + ".item VALUES (2, 'x')");
            String me = connection.unwrap(PGConnection.class).getBackendPID() + "";
            item.on("a", "INSERT INTO item VALUES (1, 'x'); INSERT INTO item VALUES (3, 'y')");
            Mesh.await(
                    mesh.node("b"),
                    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'logical replication apply worker' AND "
                            + me + " = ANY (pg_blocking_pids(pid))",
                    "1");
            if (commits) {
                connection.commit();
            } else {
                connection.rollback();
            }
        }
        mesh.drain();
        if (commits) {
            item.awaitHolds("2|x", "3|y").proven();
            assertThat(item.log("b"))
                    .extracting(Entry::brief)
                    .containsExactly("UNIQUE here 2|x of b, arrived 1|x of a, base -: local KEPT_LOCAL");
        } else {
            item.awaitHolds("1|x", "3|y").noConflict();
        }
        assertThat(mesh.node("b").query(failed))
                .as("tries until a change is set aside")
                .isIn(before, "0", "1");
    }
}
