package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Changes that one node cannot apply and sets aside, beside what is written there later. */
@ExtendWith(TwoNodes.class)
class SetAsideFoldIT {
    private static final String COLUMNS = "id int PRIMARY KEY, n int NOT NULL, note text, w text";
    private static final String SHORT = "ALTER TABLE item ADD CONSTRAINT short CHECK (length(note) < 5)";
    private static final String ACCEPT = "ALTER TABLE item DROP CONSTRAINT short";
    private static final String ADDED =
            "CREATE FUNCTION added(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb"
                    + " LANGUAGE sql RETURN remote || jsonb_build_object('note', local->'note',"
                    + " 'n', (local->>'n')::int + (remote->>'n')::int - (base->>'n')::int)";
    private static final String ENTRY =
            "SELECT concat_ws(' ', resolution, winner, split_part(resolved_by, '@', 1), result->>'n') FROM steep_repl.conflict_log"
                    + " WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '%s'";

    private final Mesh mesh;

    SetAsideFoldIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private Table stock(String strategy, String arguments, String... rows) {
        return mesh.table(COLUMNS, rows)
                .everywhere(ADDED)
                .strategy(strategy, arguments)
                .drained();
    }

    private void awaitEntry(Table table, String node, String entry) {
        Mesh.await(mesh.node(node), ENTRY.formatted(table.schema()), entry);
    }

    private void awaitRows(Table table, String rows) {
        String sql =
                "SELECT string_agg(concat_ws('|', id, n, note, w), ' ' ORDER BY id) FROM " + table.schema() + ".item";
        mesh.nodes().forEach(node -> Mesh.await(node, sql, rows));
    }

    /** The one node has compared its row with that of the other, and waits for what is missing there. */
    private void awaitDoubt(Table table, String node, String lacking) {
        Mesh.await(
                mesh.node(node),
                "SELECT string_agg(DISTINCT not_converged_reason, '; ') FROM steep_repl.conflict_log WHERE table_schema = '"
                        + table.schema() + "'",
                "the row of " + lacking + " lacks a change that was set aside there");
    }

    @ParameterizedTest(name = "{0}{1}, set aside by {2}, tried again by {3}")
    @CsvSource(delimiter = ';', textBlock = """
            column_merge; , delta_columns => '{n}'; b; proof
            column_merge; , delta_columns => '{n}'; a; postgres
            function; , resolver => 'added'; b; proof
            function; , resolver => 'added'; a; postgres
            """)
    void whatWasWrittenSinceIsFoldedWithItOnceItCanBeApplied(
            String strategy, String arguments, String there, String by) {
        String here = mesh.other(there).id();
        Table item = stock(strategy, arguments, "(1, 100, 'old', 'old')").on(there, SHORT);
        item.on(here, "UPDATE item SET n = n - 10, note = 'too long'");
        awaitEntry(item, there, "PENDING");
        item.on(there, "UPDATE item SET n = n - 20, w = 'late'").drained();
        awaitDoubt(item, here, there);
        assertThat(item.rows(mesh.node(here), "SELECT * FROM item")).containsExactly("1|70|too long|late");
        assertThat(item.rows(mesh.node(there), "SELECT * FROM item")).containsExactly("1|80|old|late");
        awaitEntry(item, there, "PENDING");
        // What is newer than the change must not be forgotten, on neither side.
        for (String node : List.of("a", "b")) {
            item.on(node, "SELECT steep_repl._forget_changes(pg_snapshot_xmax(pg_current_snapshot())::xid)");
        }
        item.on(there, ACCEPT);
        if (by.equals("postgres")) {
            // The worker may have been quicker.
            assertThat(item.error(there, "SELECT steep_repl.resolve_conflict(" + item.entry(there) + ", 'REMOTE')"))
                    .matches("no error|(?s)SR062 .*");
        }
        awaitRows(item, "1|70|too long|late");
        item.proven();
        assertThat(mesh.node(there).query(ENTRY.formatted(item.schema())))
                .startsWith("MERGED ")
                .endsWith(" 70");
        // The nodes have one fold: a sum on either side counts on both.
        item.apart(here, "UPDATE item SET n = n - 1", "UPDATE item SET n = n - 2")
                .holds("1|67|too long|late")
                .proven();
    }

    /** Sums go beside a later row whole, which keeps the constraint: nothing has to be waited for. */
    @WhoeverIsFirst
    void aSumCountsAsSoonAsALaterRowTakesAwayWhatItCouldNotBeAppliedFor(String there) {
        String here = mesh.other(there).id();
        Table item = stock("last_write_wins", ", delta_columns => '{n}'", "(1, 100, 'old', 'old')")
                .on(there, SHORT)
                .on(here, "UPDATE item SET n = n - 10, note = 'too long'");
        awaitEntry(item, there, "PENDING");
        item.on(there, "UPDATE item SET n = n - 20, w = 'late'");
        awaitEntry(item, there, "MERGED proof 70");
        awaitRows(item, "1|70|old|late");
        item.proven();
    }

    @Test
    void itTakesItsPlaceAmongTheChangesOfItsTransaction() {
        Table item = stock("column_merge", ", delta_columns => '{n}'", "(1, 100, 'old', 'old')")
                .on("b", SHORT)
                .on(
                        "a",
                        "UPDATE item SET note = 'next'; UPDATE item SET n = n - 10, note = 'too long'; UPDATE item SET n = n - 3, w = 'last'");
        awaitEntry(item, "b", "PENDING");
        item.drained().on("b", "UPDATE item SET n = n - 20", ACCEPT);
        awaitRows(item, "1|67|too long|last");
        item.proven();
    }

    /** Under a fold: an insertion, a change of the key and a deletion, each beside a later write, and alone. */
    @WhoeverIsFirst
    void otherChangesAreFoldedInToo(String there) {
        String here = mesh.other(there).id();
        Table item = stock(
                "column_merge",
                ", delta_columns => '{n}'",
                "(3, 100, 'old', 'old')",
                "(4, 100, 'old', 'old')",
                "(5, 100, 'old', 'old')",
                "(6, 100, 'old', 'old')");
        item.on(
                there,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END'",
                "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON item FOR EACH ROW EXECUTE FUNCTION refuse()",
                "ALTER TABLE item ENABLE REPLICA TRIGGER refuse");
        item.on(
                here,
                "INSERT INTO item VALUES (1, 1, 'new', 'new'); INSERT INTO item VALUES (2, 1, 'new', 'new')",
                "UPDATE item SET id = 30 WHERE id = 3; UPDATE item SET id = 40 WHERE id = 4",
                "DELETE FROM item WHERE id = 5; DELETE FROM item WHERE id = 6");
        Mesh.await(
                mesh.node(there),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                "6");
        item.on(
                there,
                "INSERT INTO item VALUES (1, 7, 'own', 'own')",
                "UPDATE item SET n = n + 5 WHERE id = 3",
                "UPDATE item SET n = n + 5 WHERE id = 5",
                "DROP TRIGGER refuse ON item");
        awaitRows(item, "1|7|own|own 2|1|new|new 3|105|old|old 5|105|old|old 40|100|old|old");
        item.proven();
        assertThat(item.rows(
                        mesh.node(there),
                        "SELECT key->>'id', resolution FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '"
                                + item.schema() + "' ORDER BY (key->>'id')::int"))
                .containsExactly(
                        "1|KEPT_LOCAL",
                        "2|APPLIED_REMOTE",
                        "5|KEPT_LOCAL",
                        "6|APPLIED_REMOTE",
                        "30|KEPT_LOCAL",
                        "40|APPLIED_REMOTE");
    }

    /** Row 1 has lost its value to a later row, row 2 has not, and takes that of an earlier one. */
    @ParameterizedTest
    @CsvSource({"column_merge", "last_write_wins"})
    void aUniqueValueIsDecidedWhenTheChangeIsTriedAgain(String strategy) {
        Table item = mesh.table(
                        "id int PRIMARY KEY, n int NOT NULL, note text, u text UNIQUE",
                        "(1, 100, 'old', '1')",
                        "(2, 100, 'old', '2')")
                .strategy(strategy, ", delta_columns => '{n}'")
                .drained();
        mesh.pause("a", "b");
        item.on("b", SHORT, "INSERT INTO item VALUES (4, 1, 'own', 'y')")
                .on("a", "UPDATE item SET n = n - 10, note = 'too long', u = CASE id WHEN 1 THEN 'x' ELSE 'y' END");
        Mesh.await(
                mesh.node("b"),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                "2");
        item.on("b", "INSERT INTO item VALUES (3, 1, 'own', 'x')", ACCEPT);
        // Before a hears of it, which would displace what clashes here.
        Mesh.await(
                mesh.node("b"),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                "0");
        mesh.resume();
        item.awaitHolds("2|90|too long|y", "3|1|own|x").proven();
        assertThat(item.rows(
                        mesh.node("b"),
                        "SELECT conflict_type, resolution, local_tuple->>'id', remote_tuple->>'id' FROM steep_repl.conflict_log"
                                + " WHERE conflict_type = 'UNIQUE' AND table_schema = current_schema() ORDER BY 3"))
                .containsExactly("UNIQUE|KEPT_LOCAL|3|1", "UNIQUE|APPLIED_REMOTE|4|2");
    }

    @WhoeverIsFirst
    void whereRowsAreNoFoldsALaterWriteStandsAndTheEntrySaysSo(String there) {
        String here = mesh.other(there).id();
        Table item = mesh.table(COLUMNS, "(1, 100, 'old', 'old')")
                .on(there, SHORT)
                .on(here, "UPDATE item SET n = n - 10, note = 'too long'");
        awaitEntry(item, there, "PENDING");
        item.on(there, "UPDATE item SET n = n - 20, w = 'late'").drained();
        awaitRows(item, "1|80|old|late");
        awaitEntry(item, there, "KEPT_LOCAL local proof");
        item.proven();
    }
}
