package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two apply workers of a third node come to one row at the same moment: both wait for a lock there, and get it at once. What a writes is
 * earlier than what b writes, and neither has seen the other.
 */
@ExtendWith(ThreeNodes.class)
class WorkersMeetIT {
    private static final String WAITING =
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'logical replication apply worker' AND wait_event_type = 'Lock'";

    private final Mesh mesh;

    WorkersMeetIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @ParameterizedTest(name = "{0}, {1}: {4} comes first")
    @CsvSource(delimiter = ';', nullValues = "-", textBlock = """
            UPDATE item SET v = 'early'           ; UPDATE item SET v = 'late'           ; 1|late ; row   ; a
            UPDATE item SET v = 'early'           ; UPDATE item SET v = 'late'           ; 1|late ; row   ; b
            UPDATE item SET v = 'early'           ; UPDATE item SET v = 'late'           ; 1|late ; table ; a
            UPDATE item SET v = 'early'           ; UPDATE item SET v = 'late'           ; 1|late ; table ; b
            UPDATE item SET v = 'early'           ; DELETE FROM item                     ; -      ; row   ; a
            UPDATE item SET v = 'early'           ; DELETE FROM item                     ; -      ; row   ; b
            DELETE FROM item                      ; UPDATE item SET v = 'late'           ; 1|late ; row   ; a
            DELETE FROM item                      ; UPDATE item SET v = 'late'           ; 1|late ; row   ; b
            DELETE FROM item                      ; UPDATE item SET v = 'late'           ; 1|late ; table ; b
            UPDATE item SET id = 3                ; UPDATE item SET v = 'late'           ; 1|late ; row   ; a
            UPDATE item SET id = 3                ; UPDATE item SET v = 'late'           ; 1|late ; row   ; b
            UPDATE item SET id = 3                ; UPDATE item SET id = 4               ; 4|old  ; row   ; a
            UPDATE item SET id = 3                ; UPDATE item SET id = 4               ; 4|old  ; row   ; b
            INSERT INTO item VALUES (2, 'early')  ; INSERT INTO item VALUES (2, 'late')  ; 1|old,2|late ; table ; a
            INSERT INTO item VALUES (2, 'early')  ; INSERT INTO item VALUES (2, 'late')  ; 1|old,2|late ; table ; b
            INSERT INTO item VALUES (2, 'x')      ; INSERT INTO item VALUES (3, 'x')     ; 1|old,3|x ; table ; a
            INSERT INTO item VALUES (2, 'x')      ; INSERT INTO item VALUES (3, 'x')     ; 1|old,3|x ; table ; b
            """)
    void theLaterStaysAndNothingStandsStill(String early, String late, String end, String lock, String first)
            throws SQLException {
        Table item = mesh.table("id int PRIMARY KEY, v text UNIQUE", "(1, 'old')");
        TestNode c = mesh.node("c");
        mesh.pause();
        item.on("a", early);
        item.on("b", late);
        try (Connection holder = c.connect();
                Statement statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("SET search_path = " + item.schema());
            statement.execute(
                    lock.equals("row")
                            ? "SELECT 1 FROM item FOR UPDATE"
                            : "LOCK TABLE item IN SHARE ROW EXCLUSIVE MODE");
            mesh.resume("c", first);
            Mesh.await(c, WAITING, "1");
            mesh.resume("c", first.equals("a") ? "b" : "a");
            Mesh.await(c, WAITING, "2");
            holder.rollback();
        }
        mesh.resume();
        item.holds(end == null ? new String[0] : end.split(",")).proven();
        for (TestNode node : mesh.nodes()) {
            List<Entry> log = item.log(node.id());
            assertThat(log)
                    .as("each conflict once on %s%s", node.id(), item.allLogs())
                    .extracting(entry -> entry.type() + entry.identity() + entry.key())
                    .doesNotHaveDuplicates();
        }
        // A worker that tries again may hear from a peer that its row was displaced before the row is here: no conflict
        // for c then.
        boolean displaced =
                item.log("a").stream().anyMatch(entry -> entry.type().equals("UNIQUE"));
        assertThat(item.log("c"))
                .as("c wrote neither%s", item.allLogs())
                .allMatch(Entry::possible)
                .hasSizeBetween(displaced ? 0 : 1, 2);
        // A clash with what the other worker has not committed may be tried once more; nothing may be given up for it.
        String trouble = "SELECT count(*) FROM steep_repl.apply_failures WHERE set_aside";
        assertThat(c.query(trouble)).isEqualTo("0");
    }
}
