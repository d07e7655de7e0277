package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Resolution of conflicts in which the nodes hold different rows until somebody decides, also where one side is no row at all. */
@ExtendWith(TwoNodes.class)
class ResolveApartIT {
    private final Mesh mesh;

    ResolveApartIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private static String entry(Table item, String node) {
        return item.rows(
                        item.mesh().node(node),
                        "SELECT id FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = current_schema()")
                .getFirst();
    }

    /** Node a wrote first, each node has its own row, and the conflict waits on both. */
    private Table apart(String ofA, String ofB) {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')")
                .strategy("manual", "")
                .apart("a", ofA, ofB);
        for (String node : new String[] {"a", "b"}) {
            assertThat(item.log(node)).extracting(Entry::resolution).containsExactly("PENDING");
        }
        return item;
    }

    @ParameterizedTest(name = "{0} / {1}: {3} on {2}")
    @CsvSource(delimiter = ';', quoteCharacter = '"', textBlock = """
            DELETE FROM item;             UPDATE item SET v = 'of b'; a; LOCAL;  ""
            DELETE FROM item;             UPDATE item SET v = 'of b'; b; REMOTE; ""
            DELETE FROM item;             UPDATE item SET v = 'of b'; a; REMOTE; 1|of b
            UPDATE item SET v = 'of a';   DELETE FROM item;           b; LOCAL;  ""
            UPDATE item SET v = 'of a';   DELETE FROM item;           a; LOCAL;  1|of a
            UPDATE item SET id = 2;       UPDATE item SET v = 'of b'; a; LOCAL;  2|old
            UPDATE item SET id = 2;       UPDATE item SET v = 'of b'; b; REMOTE; 2|old
            UPDATE item SET id = 2;       UPDATE item SET v = 'of b'; b; LOCAL;  1|of b
            UPDATE item SET v = 'of a';   UPDATE item SET id = 2;     b; LOCAL;  2|old
            UPDATE item SET v = 'of a';   UPDATE item SET id = 2;     a; REMOTE; 2|old
            UPDATE item SET v = 'of a';   UPDATE item SET id = 2;     a; LOCAL;  1|of a
            """)
    void theChosenSideStandsOnBothNodesAlsoWhereItIsNoRow(
            String ofA, String ofB, String node, String side, String rows) {
        Table item = apart(ofA, ofB);
        item.call(node, "SELECT steep_repl.resolve_conflict(" + entry(item, node) + ", '" + side + "')");
        mesh.drain();
        String[] end = rows.isEmpty() ? new String[0] : new String[] {rows};
        item.awaitHolds(end).proven();
        for (String any : new String[] {"a", "b"}) {
            assertThat(item.log(any)).extracting(Entry::resolution).doesNotContain("PENDING");
        }
    }

    /** The others delete their row by the decision itself, so it takes the right to. */
    @Test
    void whoMayNotDeleteRowsDoesNotHaveThemDeletedElsewhere() {
        Table item = apart("DELETE FROM item", "UPDATE item SET v = 'of b'");
        String role = "clerk_" + item.schema();
        item.on(
                "a",
                "CREATE ROLE " + role + " IN ROLE steep_repl_operator",
                "GRANT USAGE ON SCHEMA " + item.schema() + " TO " + role,
                "GRANT SELECT, INSERT, UPDATE ON item TO " + role);
        try {
            String resolve =
                    "SET ROLE " + role + "; SELECT steep_repl.resolve_conflict(" + entry(item, "a") + ", 'LOCAL')";
            assertThat(item.error("a", resolve)).startsWith("42501 permission denied for table");
            item.on("a", "GRANT DELETE ON item TO " + role, resolve);
            mesh.drain();
            item.awaitHolds().proven();
        } finally {
            item.on("a", "RESET ROLE", "DROP OWNED BY " + role, "DROP ROLE " + role);
        }
    }
}
