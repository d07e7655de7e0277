package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Rows that keep something of both sides: columns, sums, what a function makes of them. */
@ExtendWith(TwoNodes.class)
class FoldIT {
    private static final String STOCK =
            "id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0), price numeric NOT NULL, v text";
    private static final String AVERAGE =
            "CREATE FUNCTION average(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE %s";

    private final Mesh mesh;

    FoldIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private Table stock(String strategy, String... rows) {
        return mesh.table(STOCK, rows)
                .strategy(strategy, ", delta_columns => '{n,price}'")
                .drained();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void columnsOfBothSidesStayAndOfOneColumnTheLater(String first) {
        mesh.table("id int PRIMARY KEY, x text, y text", "(1, 'old', 'old')", "(2, 'old', 'old')", "(3, 'old', 'old')")
                .strategy("column_merge", "")
                .apart(
                        first,
                        "UPDATE item SET x = 'early' WHERE id < 3; DELETE FROM item WHERE id = 3",
                        "UPDATE item SET y = 'late'; UPDATE item SET x = 'late' WHERE id = 2")
                .holds("1|early|late", "2|late|late", "3|old|late")
                .proven();
    }

    @ParameterizedTest
    @CsvSource({"a, column_merge", "b, column_merge", "a, last_write_wins", "b, last_write_wins"})
    void sumsOfBothSidesCount(String first, String strategy) {
        Table table = stock(strategy, "(1, 100, 1.50, 'old')", "(2, 10, 1, 'old')")
                .apart(
                        first,
                        "UPDATE item SET n = n - 7, v = 'early' WHERE id = 1; UPDATE item SET n = n - 1 WHERE id = 2",
                        "UPDATE item SET n = n - 30, price = price + 0.25 WHERE id = 1;"
                                + " UPDATE item SET n = n + 5 WHERE id = 2; UPDATE item SET n = n - 2 WHERE id = 2");
        String kept = strategy.equals("column_merge") ? "early" : "old";
        table.holds("1|63|1.75|" + kept, "2|12|1|old").proven();
        for (String node : List.of("a", "b")) {
            assertThat(table.log(node)).extracting(Entry::type).containsOnly("UPDATE-UPDATE");
            assertThat(table.log(node)).extracting(Entry::resolution).contains("MERGED");
        }
    }

    @Test
    void whoHasSeenTheOtherSideIsNoConflict() {
        Table table = stock("column_merge", "(1, 100, 1, 'old')");
        table.on("a", "UPDATE item SET n = n - 1", "UPDATE item SET v = 'a'").drained();
        table.on("b", "UPDATE item SET n = n - 1", "UPDATE item SET n = n - 1; DELETE FROM item")
                .drained();
        table.on("a", "INSERT INTO item VALUES (1, 7, 1, 'anew')", "UPDATE item SET id = 2")
                .drained();
        table.on("b", "UPDATE item SET n = n + 1").drained().holds("2|8|1|anew").noConflict();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void sumsEndWithTheirRow(String first) {
        Table table = stock(
                "last_write_wins", "(1, 5, 1, 'old')", "(2, 5, 1, 'old')", "(3, 5, 1, 'old')", "(4, 5, 1, 'old')");
        mesh.pause();
        String second = mesh.other(first).id();
        table.on(second, "UPDATE item SET n = n - 1 WHERE id = 4");
        // Deleted and inserted anew; only deleted, early and late.
        table.on(
                first,
                "DELETE FROM item WHERE id IN (1, 2, 4)",
                "INSERT INTO item VALUES (1, 100, 1, 'anew'), (4, 100, 1, 'anew')");
        table.on(
                second, "UPDATE item SET n = n - 1, v = 'late' WHERE id < 3", "UPDATE item SET n = n - 1 WHERE id = 3");
        table.on(first, "DELETE FROM item WHERE id = 3");
        mesh.resume();
        table.holds("1|100|1|late", "2|4|1|late", "4|100|1|anew").proven();
        for (String node : List.of("a", "b")) {
            assertThat(table.log(node)).extracting(Entry::local, Entry::remote).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void aSumThatBreaksAConstraintLeavesTheLaterRowWhole(String first) {
        Table table = stock("column_merge", "(1, 10, 1, 'old')")
                .apart(first, "UPDATE item SET n = n - 7, v = 'early'", "UPDATE item SET n = n - 8, price = price + 1");
        table.holds("1|2|2|old").proven();
        assertThat(table.log("a")).extracting(Entry::reason).anyMatch(reason -> reason.contains("could not be merged"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void aFunctionMakesOneRowOfBoth(String first) {
        Table table =
                mesh.table("id int PRIMARY KEY, n int, t timestamptz, j jsonb", "(1, 100, now(), '{\"a\": \"b\"}')");
        table.everywhere(AVERAGE.formatted("sql AS $$ SELECT remote || jsonb_build_object('n',"
                + " ((local->>'n')::int + (remote->>'n')::int) / 2) $$"));
        table.strategy("function", ", resolver => 'average'")
                .apart(first, "UPDATE item SET n = 0", "UPDATE item SET n = 8")
                .answers("SELECT id, n, j FROM item", "1|4|{\"a\": \"b\"}")
                .proven();
    }

    /** What a function does instead of merging two rows; SQLSTATE and error in the log. */
    private static final String[][] FAILURES = {
        {"RAISE EXCEPTION USING ERRCODE = 'MY001', MESSAGE = 'no idea'", "MY001", "no idea"},
        {"RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'again'", "40001", "again"},
        {"PERFORM pg_sleep(30)", "SR057", "average did not answer within steep_repl.resolver_timeout"},
        {"DELETE FROM SCHEMA.item", "25006", "read-only transaction"},
        {"RETURN NULL", "SR057", "average gave no row"},
        {"RETURN '[1]'", "SR057", "average gave no row"},
        {"RETURN '{\"n\": 1}'", "SR057", "average gave no column id"},
        {"RETURN remote || '{\"m\": 1}'", "SR057", "average gave m, which is no column of the table"},
        {"RETURN remote || '{\"id\": 77}'", "SR057", "average gave a row with another key"},
        {"RETURN remote || '{\"n\": \"many\"}'", "22P02", "invalid input syntax"},
        {"RETURN remote || '{\"n\": null}'", "23514", "breaks NOT NULL of n"},
        {"RETURN remote || '{\"n\": -1}'", "23514", "breaks item_n_check"},
    };

    @Test
    void aFunctionThatFailsLeavesTheLaterRowWhole() {
        Table table = mesh.table(
                "id int PRIMARY KEY, n int NOT NULL CHECK (n >= 0)",
                "(generate_series(0, " + (FAILURES.length - 1) + "), 100)");
        StringBuilder body = new StringBuilder("plpgsql AS $$ BEGIN CASE (remote->>'id')::int ");
        for (int id = 0; id < FAILURES.length; id++) {
            body.append("WHEN ")
                    .append(id)
                    .append(" THEN ")
                    .append(FAILURES[id][0].replace("SCHEMA", table.schema()))
                    .append("; ");
        }
        table.everywhere(AVERAGE.formatted(body + "END CASE; RETURN remote; END $$"));
        table.strategy("function", ", resolver => 'average'")
                .apart("b", "UPDATE item SET n = 0", "UPDATE item SET n = 8")
                .answers("SELECT DISTINCT n FROM item", "8")
                .proven();
        for (String node : List.of("a", "b")) {
            List<String> logged = table.rows(
                    mesh.node(node),
                    "SELECT reason, sqlstate, error FROM steep_repl.conflict_log WHERE table_schema = '"
                            + table.schema() + "' ORDER BY (key->>'id')::int");
            assertThat(logged).hasSize(FAILURES.length);
            for (int id = 0; id < FAILURES.length; id++) {
                assertThat(logged.get(id))
                        .as("%s on %s", FAILURES[id][0], node)
                        .contains("could not be merged", "|" + FAILURES[id][1] + "|", FAILURES[id][2]);
            }
        }
    }

    @Test
    void functionsTakeNoLongerThanTheirBudgetForATransaction() {
        Table table = mesh.table("id int PRIMARY KEY, n int NOT NULL", "(generate_series(1, 8), 0)");
        table.everywhere(AVERAGE.formatted("plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN remote; END $$"));
        String set = "ALTER SYSTEM SET steep_repl.resolver_budget = ";
        mesh.nodes().forEach(node -> node.execute(set + "'1s'", "SELECT pg_reload_conf()"));
        try {
            table.strategy("function", ", resolver => 'average'")
                    .apart("a", "UPDATE item SET n = 1", "UPDATE item SET n = 2")
                    .answers("SELECT DISTINCT n FROM item", "2")
                    .proven();
        } finally {
            mesh.nodes().forEach(node -> node.execute(set + "DEFAULT", "SELECT pg_reload_conf()"));
        }
        String unasked = " FROM steep_repl.conflict_log WHERE table_schema = '" + table.schema()
                + "' AND sqlstate = 'SR057' AND error LIKE '%used up steep_repl.resolver_budget'";
        for (TestNode node : mesh.nodes()) {
            assertThat(table.rows(node, "SELECT count(*) BETWEEN 5 AND 7" + unasked))
                    .as(node.id())
                    .containsExactly("t");
        }
    }

    @Test
    void anotherStrategyLeavesWhatWasFoldedBefore() {
        Table table = stock("column_merge", "(1, 100, 1, 'old')")
                .apart("a", "UPDATE item SET n = n - 7", "UPDATE item SET n = n - 30")
                .holds("1|63|1|old")
                .proven();
        table.strategy("column_merge", "").drained();
        table.apart("a", "UPDATE item SET v = 'new'", "UPDATE item SET price = 2")
                .holds("1|63|2|new")
                .proven();
    }

    @Test
    void whatStoodHereBeforeChangesWereKeptIsNotLostInSilence() {
        Table table = mesh.table("id int PRIMARY KEY, x text, y text", "(1, 'old', 'old')", "(2, 'old', 'old')")
                .drained();
        // As from a backup: nobody knows its version, and no other node has it.
        table.on(
                "a",
                "SELECT pg_replication_origin_create('nobody')",
                "SELECT pg_replication_origin_session_setup('nobody')",
                "UPDATE item SET x = 'restored' WHERE id = 1",
                "SELECT pg_replication_origin_session_reset()",
                "SELECT pg_replication_origin_drop('nobody')");
        mesh.pause("b", "a");
        table.on("a", "DELETE FROM item WHERE id = 2");
        table.on("a", "SELECT steep_repl.set_conflict_strategy('item', 'column_merge')");
        table.on("b", "UPDATE item SET y = 'late'");
        mesh.receive("a", "b");
        mesh.resume("b", "a");
        table.drained()
                .proven()
                .answers("SELECT count(*), min(y), max(y) FROM item", "2|late|late")
                .isEqual();
        assertThat(table.log("a"))
                .extracting(Entry::brief)
                .contains(
                        "UPDATE-UPDATE here 1|restored|old of -, arrived 1|old|late of b, base 1|old|old: nobody MERGED")
                .anyMatch(entry -> entry.startsWith("UPDATE-DELETE here - of a, arrived 2|old|late of b"));
    }

    @Test
    void anotherStrategyWaitsForWhoeverFoldsByTheOldOneAndSaysSo() throws SQLException {
        Table table = stock("column_merge", "(1, 100, 1, 'old')");
        mesh.node("a").execute("ALTER SYSTEM SET steep_repl.lock_timeout = '200ms'", "SELECT pg_reload_conf()");
        String columns = "SELECT delta_columns FROM steep_repl.tables WHERE table_schema = '" + table.schema() + "'";
        String kept = "SELECT count(*) FROM steep_repl.row_changes WHERE relation = 'item'::regclass";
        try (var connection = mesh.node("a").connect();
                var writer = connection.createStatement()) {
            connection.setAutoCommit(false);
            writer.execute("UPDATE " + table.schema() + ".item SET n = n - 1");
            table.on(
                    "b", "SELECT steep_repl.set_conflict_strategy('item', 'column_merge', delta_columns => '{price}')");
            // The apply worker does not wait for ever, and comes again.
            Mesh.await(
                    mesh.node("a"),
                    "SELECT count(*) FROM steep_repl.subscription_status() WHERE last_error ~ 'cannot be changed while'"
                            + " AND steep_repl.health()->>'reasons' ~ 'cannot be changed while'",
                    "1");
            connection.commit();
        } finally {
            mesh.node("a").execute("ALTER SYSTEM RESET steep_repl.lock_timeout", "SELECT pg_reload_conf()");
        }
        Mesh.await(mesh.node("a"), columns, "{price}");
        assertThat(table.value("a", kept)).isEqualTo("0");
        table.drained().holds("1|99|1|old").noConflict();
    }

    @Test
    void whatAPersonDecidesStandsAsItIs() {
        Table table = stock("column_merge", "(1, 100, 1, 'old')")
                .apart("a", "UPDATE item SET n = n - 7, v = 'early'", "UPDATE item SET n = n - 30, price = 2")
                .holds("1|63|2|early")
                .proven();
        mesh.pause();
        table.on(
                "a",
                "SELECT steep_repl.resolve_conflict(" + table.entry("a")
                        + ", 'MERGED', '{\"id\": 1, \"n\": 40, \"price\": 5, \"v\": \"decided\"}')");
        // Had not seen the decision: its sums were made on another row.
        table.on("b", "UPDATE item SET n = n - 1, v = 'late'");
        mesh.resume();
        table.holds("1|40|5|late").proven();
        table.on("b", "UPDATE item SET n = n - 1")
                .drained()
                .holds("1|39|5|late")
                .proven();
    }

    /** Arguments of set_conflict_strategy after the table; SQLSTATE, message and hint of the error. */
    private static final String[][] WRONG = {
        {
            "'last_write_wins', delta_columns => '{n,id}'",
            "SR055",
            "delta column id: it belongs to the key",
            "another column"
        },
        {"'last_write_wins', delta_columns => '{o}'", "SR055", "delta column o: it may be null", "SET NOT NULL"},
        {"'column_merge', delta_columns => '{f}'", "SR055", "delta column f: its type is double precision", "numeric"},
        {"'column_merge', delta_columns => '{v}'", "SR055", "delta column v: its type is text", "numeric"},
        {"'column_merge', delta_columns => '{u}'", "SR055", "delta column u: it belongs to a unique index", "clash"},
        {"'column_merge', delta_columns => '{g}'", "SR055", "delta column g: the server computes", "another column"},
        {"'column_merge', delta_columns => '{missing}'", "SR055", "has no such column", "columns of the table"},
        {"'column_merge', delta_columns => '{NULL}'", "SR055", "delta column NULL: the table has no such", "columns of"
        },
        {"'column_merge', delta_columns => '{n,n}'", "SR055", "more than once", "each once"},
        {"'column_merge', delta_columns => '{}'", "SR055", "the list is empty", "each once"},
        {
            "'first_write_wins', delta_columns => '{n}'",
            "SR055",
            "first_write_wins takes no delta columns",
            "column_merge"
        },
        {"'function'", "SR056", "function needs a function", "resolver => "},
        {"'manual', resolver => 'average'", "SR056", "manual takes no function", "Leave resolver out"},
        {"'function', resolver => 'pg_catalog.jsonb_typeof'", "SR056", "is not a function of (local", "with these types"
        },
        {"'function', resolver => 'average'", "SR056", "may not run", "GRANT EXECUTE ON FUNCTION"},
    };

    @Test
    void whatCannotBeFoldedIsRefusedAndChangesNothing() {
        Table table = mesh.table("id int PRIMARY KEY, n int NOT NULL, o int, f float8 NOT NULL, v text NOT NULL,"
                + " u int NOT NULL UNIQUE, g int NOT NULL GENERATED ALWAYS AS IDENTITY");
        table.everywhere(
                "CREATE ROLE stock_keeper",
                AVERAGE.formatted("sql AS $$ SELECT remote $$"),
                "REVOKE EXECUTE ON FUNCTION average FROM PUBLIC",
                "ALTER TABLE item OWNER TO stock_keeper");
        String now =
                "SELECT strategy, delta_columns, resolver FROM steep_repl.replicated_tables() WHERE table_schema = '"
                        + table.schema() + "'";
        for (String[] wrong : WRONG) {
            assertThatThrownBy(() -> table.on("a", "SELECT steep_repl.set_conflict_strategy('item', " + wrong[0] + ")"))
                    .as(wrong[0])
                    .cause()
                    .isInstanceOfSatisfying(PSQLException.class, e -> {
                        ServerErrorMessage said = Objects.requireNonNull(e.getServerErrorMessage());
                        assertThat(said.getSQLState()).isEqualTo(wrong[1]);
                        assertThat(said.getMessage()).contains(wrong[2]);
                        assertThat(said.getHint()).contains(wrong[3]);
                        assertThat(said.getDetail()).contains("nothing has been changed");
                    });
        }
        assertThat(table.error(
                        "a",
                        "BEGIN ISOLATION LEVEL REPEATABLE READ;"
                                + " SELECT steep_repl.set_conflict_strategy('item', 'column_merge')"))
                .startsWith(
                        "SR058 folds begin, change or end at READ COMMITTED only, this transaction is REPEATABLE READ /");
        table.answers(now, "last_write_wins|null|null");
    }
}
