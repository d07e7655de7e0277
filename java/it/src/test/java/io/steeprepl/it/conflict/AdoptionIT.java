package io.steeprepl.it.conflict;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Rows that a proof adopts from a peer, because the stream could not bring them, and that claim a value which is taken. */
@ExtendWith(TwoNodes.class)
class AdoptionIT {
    private static final String ACCEPT = "ALTER TABLE item DROP CONSTRAINT none";

    private final Mesh mesh;

    AdoptionIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** First one node writes its row, then the other another one with the same value; neither can take the other's. */
    private Table claimedByBoth(String first, String earlier, String later) {
        String second = mesh.other(first).id();
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE")
                .on(second, "ALTER TABLE item ADD CONSTRAINT none CHECK (id <> " + earlier.charAt(0) + ")")
                .on(first, "ALTER TABLE item ADD CONSTRAINT none CHECK (id <> " + later.charAt(0) + ")")
                .on(first, "INSERT INTO item VALUES (" + earlier + ")");
        awaitSetAside(item, second);
        item.on(second, "INSERT INTO item VALUES (" + later + ")");
        awaitSetAside(item, first);
        return item;
    }

    private void awaitSetAside(Table item, String node) {
        Mesh.await(
                mesh.node(node),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '"
                        + item.schema() + "'",
                "1");
    }

    private void awaitRows(Table item, String node, String rows) {
        Mesh.await(
                mesh.node(node),
                "SELECT coalesce(string_agg(i::text, ' ' ORDER BY id), 'none') FROM " + item.schema() + ".item i",
                rows);
    }

    @Test
    void anAdoptedRowGivesWayToALaterOneThatHoldsItsValue() {
        Table item = claimedByBoth("a", "1, 'x'", "2, 'x'").on("b", ACCEPT);
        awaitRows(item, "a", "none");
        awaitRows(item, "b", "(2,x)");
        item.on("a", ACCEPT);
        awaitRows(item, "a", "(2,x)");
        item.proven().holds("2|x");
    }

    @Test
    void anAdoptedRowDisplacesAnEarlierOneThatHoldsItsValue() {
        Table item = claimedByBoth("a", "1, 'x'", "2, 'x'").on("a", ACCEPT);
        awaitRows(item, "a", "(2,x)");
        item.proven().holds("2|x");
    }

    /** A row that is a fold is as late as before when an earlier change has come. */
    @Test
    void aSumThatCameSinceTheComparisonIsNotOverwritten() {
        Table stock = mesh.table("id int PRIMARY KEY, n int NOT NULL", "(1, 100)")
                .strategy("last_write_wins", ", delta_columns => '{n}'")
                .drained();
        mesh.pause();
        stock.on("b", "UPDATE item SET n = n - 1");
        stock.on("a", "UPDATE item SET n = n - 10");
        String here = "steep_repl._key_states(jsonb_build_array(jsonb_build_object('schema', '" + stock.schema()
                + "', 'table', 'item', 'key', '{\"id\": 1}'::jsonb)))::jsonb->0";
        String compared = stock.value("a", "SELECT " + here);
        mesh.resume();
        stock.holds("1|89").proven();
        adopt(stock, "'" + compared + "'");
        stock.holds("1|89");
        adopt(stock, here);
        Mesh.await(mesh.node("a"), "SELECT n FROM " + stock.schema() + ".item", "50");
    }

    /** Has a adopt another row, if what it holds is still what was compared. */
    private static void adopt(Table stock, String compared) {
        stock.on(
                "a",
                "BEGIN; SET LOCAL session_replication_role = replica;"
                        + " SELECT steep_repl._adopt(jsonb_populate_record(NULL::steep_repl.pulls, jsonb_build_object('table_schema', '"
                        + stock.schema()
                        + "', 'table_name', 'item', 'key', '{\"id\": 1}'::jsonb, 'mine', mine, 'target', mine || '{\"hash\": \"\", \"row\": {\"id\": 1, \"n\": 50}}')))"
                        + " FROM (SELECT (" + compared + ")::jsonb AS mine) m; COMMIT");
    }
}
