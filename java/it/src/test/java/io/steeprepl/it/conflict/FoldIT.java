package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'MY001', MESSAGE = 'no idea'; END $$",
                "plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN remote; END $$",
                "sql AS $$ SELECT NULL::jsonb $$",
                "sql AS $$ SELECT '{\"n\": 1}'::jsonb $$",
                "sql AS $$ SELECT remote || '{\"id\": 7}' $$",
                "sql AS $$ SELECT remote || '{\"n\": \"many\"}' $$",
                "sql AS $$ SELECT remote || '{\"n\": null}' $$"
            })
    void aFunctionThatFailsLeavesTheLaterRowWhole(String body) {
        Table table = mesh.table("id int PRIMARY KEY, n int NOT NULL", "(1, 100)");
        table.everywhere(AVERAGE.formatted(body));
        table.strategy("function", ", resolver => 'average'")
                .apart("b", "UPDATE item SET n = 0", "UPDATE item SET n = 8")
                .holds("1|8")
                .proven();
        assertThat(table.log("b"))
                .extracting(Entry::reason)
                .singleElement()
                .asString()
                .contains("could not be merged");
        assertThat(table.value(
                        "b", "SELECT error FROM steep_repl.conflict_log WHERE table_schema = '" + table.schema() + "'"))
                .isNotEqualTo("null");
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

    @Test
    void whatCannotBeAddedIsRefused() {
        Table table = mesh.table("id int PRIMARY KEY, n int NOT NULL, o int, f float8 NOT NULL, u int NOT NULL UNIQUE");
        for (String column : List.of("id", "o", "f", "u", "missing")) {
            assertThatThrownBy(() -> table.on(
                            "a",
                            "SELECT steep_repl.set_conflict_strategy('item', 'last_write_wins', delta_columns => '{n,"
                                    + column + "}')"))
                    .hasStackTraceContaining("delta column " + column);
        }
        assertThatThrownBy(() -> table.on("a", "SELECT steep_repl.set_conflict_strategy('item', 'function')"))
                .hasStackTraceContaining("function needs a function");
        assertThatThrownBy(
                        () -> table.on(
                                "a",
                                "SELECT steep_repl.set_conflict_strategy('item', 'function', resolver => 'pg_catalog.jsonb_typeof')"))
                .hasStackTraceContaining("is not a function of");
    }
}
