package io.steeprepl.it.conflict;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An apply worker that has found no deletions of a table, and therefore does not look for them, notices the first. */
@ExtendWith(TwoNodes.class)
class FirstTombstoneIT {
    private final Mesh mesh;

    FirstTombstoneIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @Test
    void anUpdateThatIsOlderThanTheFirstDeletionDoesNotBringTheRowBack() throws SQLException {
        Table item = lookedAt();
        late(item, "UPDATE item SET v = 'early' WHERE id = 1", "DELETE FROM item WHERE id = 1");
        item.holds("2|looked for").proven();
    }

    @Test
    void anInsertionThatIsOlderThanTheFirstTruncateDoesNotStay() throws SQLException {
        Table item = lookedAt();
        late(item, "INSERT INTO item VALUES (3, 'early')", "TRUNCATE item");
        item.holds().proven();
    }

    @Test
    void anInsertionThatIsOlderThanAMoveAwayDoesNotStay() throws SQLException {
        Table item = lookedAt();
        item.on("b", "INSERT INTO item VALUES (4, 'new')");
        late(
                item,
                "INSERT INTO item VALUES (3, 'early')",
                "UPDATE item SET id = 3 WHERE id = 4; DELETE FROM item WHERE id = 3");
        item.holds("1|old", "2|looked for").proven();
    }

    /** The worker of b has inserted a row and so has looked for deletions. */
    private Table lookedAt() {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')");
        return item.on("a", "INSERT INTO item VALUES (2, 'looked for')").drained();
    }

    /** What a writes reaches b, and its worker as it is, only after b has written, which is later. */
    private void late(Table item, String onA, String onB) throws SQLException {
        try (var lock = mesh.node("b").connect();
                var statement = lock.createStatement()) {
            lock.setAutoCommit(false);
            statement.execute("SELECT FROM tide WHERE node = 'a' FOR UPDATE");
            mesh.node("a").execute("UPDATE tide SET n = n + 1 WHERE node = 'a'");
            item.on("a", onA);
            item.on("b", onB);
            lock.commit();
        }
        item.drained();
    }
}
