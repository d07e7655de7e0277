package io.steeprepl.it.conflict;

import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Something dies after a conflict has been decided and before that is committed: it is decided again, and logged once. */
@ExtendWith(TwoNodes.class)
class CrashIT {
    private static final String APPLY_WORKERS =
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'logical replication apply worker'";

    private final Mesh mesh;

    CrashIT(Mesh mesh) {
        this.mesh = mesh;
    }

    enum Victim {
        SERVER,
        APPLY_WORKER,
        WAL_SENDER,
        NOBODY_BUT_THE_APPLY_WORKER_IS_ENDED
    }

    @ParameterizedTest
    @EnumSource
    void whatWasDecidedAndNotCommittedIsDecidedAgainAndLoggedOnce(Victim victim) throws SQLException {
        Table item = mesh.table(
                "id int PRIMARY KEY, v text, u text UNIQUE",
                "(1, 'old', '1')",
                "(2, 'old', '2')",
                "(3, 'old', '3')",
                "(4, 'old', '4')");
        mesh.pause();
        item.on(
                "b",
                "UPDATE item SET v = 'early' WHERE id IN (1, 3)",
                "DELETE FROM item WHERE id = 2",
                "INSERT INTO item VALUES (6, 'early', 'x')");
        item.on(
                "a",
                "UPDATE item SET v = 'late' WHERE id = 1; UPDATE item SET v = 'late' WHERE id = 2; DELETE FROM item WHERE id = 3;"
                        + " INSERT INTO item VALUES (5, 'late', 'x'); UPDATE item SET v = 'late' WHERE id = 4");
        TestNode b = mesh.node("b");
        TestNode struck = victim == Victim.WAL_SENDER ? mesh.node("a") : b;
        String worker = "SELECT steep_repl._worker_state()->>'pid'";
        String before = struck.query(worker);
        var session = b.connect();
        try (var statement = session.createStatement()) {
            session.setAutoCommit(false);
            statement.execute("SELECT 1 FROM " + item.schema() + ".item WHERE id = 4 FOR UPDATE");
            mesh.resume("b", "a");
            // All conflicts are decided: it waits for the last row.
            Mesh.await(
                    b,
                    "SELECT wait_event_type FROM pg_stat_activity WHERE backend_type = 'logical replication apply worker'",
                    "Lock");
            end(victim);
        } finally {
            session.close();
        }
        if (victim != Victim.NOBODY_BUT_THE_APPLY_WORKER_IS_ENDED) {
            // A server of which a process was killed answers until it has noticed.
            Mesh.await(struck, worker + " <> '" + before + "'", "t");
        }
        mesh.resume();
        item.holds("1|late|1", "2|late|2", "4|late|4", "5|late|x")
                .logged(
                        "b",
                        Conflict.of("UPDATE-UPDATE")
                                .earlier("1|early|1")
                                .later("1|late|1")
                                .base("1|old|1"),
                        Conflict.of("UPDATE-DELETE").later("2|late|2").base("2|old|2"),
                        Conflict.of("UPDATE-DELETE").earlier("3|early|3").base("3|old|3"),
                        Conflict.of("UNIQUE").earlier("6|early|x").later("5|late|x"));
    }

    private void end(Victim victim) {
        TestNode a = mesh.node("a");
        TestNode b = mesh.node("b");
        switch (victim) {
            case SERVER -> {
                b.server().kill9();
                b.server().start();
            }
            case APPLY_WORKER -> kill(b.query(APPLY_WORKERS));
            case WAL_SENDER -> kill(a.query("SELECT active_pid FROM pg_replication_slots WHERE active"));
            case NOBODY_BUT_THE_APPLY_WORKER_IS_ENDED ->
                b.query("SELECT pg_terminate_backend(" + b.query(APPLY_WORKERS) + ", 20000)");
        }
    }

    private static void kill(String pid) {
        ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly();
    }
}
