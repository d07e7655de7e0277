package io.steeprepl.it.conflict;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A third node applies an insertion and the deletion that followed it at the same moment, from two peers. */
@ExtendWith(ThreeNodes.class)
class SameMomentIT {
    private static final int LOCK = 4711;

    private final Mesh mesh;

    SameMomentIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Where the insertion stands while the deletion is applied. */
    enum Insertion {
        BEFORE_ITS_ROW_IS_THERE(
                "BEFORE", "SELECT count(*) FROM steep_repl.tombstones WHERE relation = '%s.item'::regclass"),
        AFTER_ITS_ROW_IS_THERE(
                "AFTER", "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted");

        private final String when;
        private final String met;

        Insertion(String when, String met) {
            this.when = when;
            this.met = met;
        }
    }

    @ParameterizedTest
    @EnumSource
    void theDeletionStands(Insertion insertion) throws SQLException {
        Table item = mesh.table("id int PRIMARY KEY, v text");
        item.on(
                "c",
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock("
                        + LOCK + "); RETURN NEW; END'",
                "CREATE TRIGGER hold " + insertion.when + " INSERT ON item FOR EACH ROW EXECUTE FUNCTION hold()",
                "ALTER TABLE item ENABLE ALWAYS TRIGGER hold");
        mesh.pause("c", "a");
        mesh.pause("c", "b");
        item.on("a", "INSERT INTO item VALUES (1, 'x')");
        mesh.receive("b", "a");
        item.on("b", "DELETE FROM item");
        try (Connection holder = mesh.node("c").connect();
                Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(" + LOCK + ")");
            mesh.resume("c", "a");
            Mesh.await(
                    mesh.node("c"),
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = " + LOCK
                            + " AND NOT granted",
                    "1");
            mesh.resume("c", "b");
            Mesh.await(mesh.node("c"), insertion.met.formatted(item.schema()), "1");
        }
        item.drained().holds().proven();
    }
}
