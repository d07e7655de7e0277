package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Both nodes add to one row, through a cut and the death of a server: the sum is that of all writes that were acknowledged. */
@ExtendWith(TwoNodes.class)
class FoldCrashIT {
    private static final int ENOUGH = 60;

    private final Mesh mesh;

    FoldCrashIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @Test
    void noSumIsLostAndNoneCountsTwice() throws InterruptedException {
        Table table = mesh.table("id int PRIMARY KEY, n bigint NOT NULL, v text", "(1, 0, '')");
        table.strategy("column_merge", ", delta_columns => '{n}'");
        // Whether a write without an answer was committed, is seen by a row of the same transaction.
        table.everywhere("CREATE TABLE done (id text PRIMARY KEY)").on("a", "SELECT steep_repl.add_table('done')");
        mesh.awaitReady(table.schema());
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger acknowledgedByA = new AtomicInteger();
        AtomicInteger acknowledgedByB = new AtomicInteger();
        Thread a = Thread.startVirtualThread(() -> write(mesh.node("a"), table.schema(), stop, acknowledgedByA));
        Thread b = Thread.startVirtualThread(() -> write(mesh.node("b"), table.schema(), stop, acknowledgedByB));
        try {
            more(acknowledgedByA, acknowledgedByB);
            mesh.pause();
            more(acknowledgedByA, acknowledgedByB);
            mesh.node("b").server().kill9();
            mesh.node("b").server().start();
            more(acknowledgedByA, acknowledgedByB);
            mesh.resume("a", "b");
            mesh.resume("b", "a");
            more(acknowledgedByA, acknowledgedByB);
            mesh.node("a").server().kill9();
            mesh.node("a").server().start();
            more(acknowledgedByA, acknowledgedByB);
        } finally {
            stop.set(true);
            a.join();
            b.join();
        }
        mesh.resume();
        int acknowledged = acknowledgedByA.get() + acknowledgedByB.get();
        int committed = Integer.parseInt(table.value("a", "SELECT count(*) FROM done"));
        assertThat(committed).isGreaterThanOrEqualTo(acknowledged);
        table.answers("SELECT count(*) FROM done", String.valueOf(committed))
                .answers("SELECT n FROM item", String.valueOf(committed))
                .proven();
    }

    private static void more(AtomicInteger... counts) {
        for (AtomicInteger count : counts) {
            int enough = count.get() + ENOUGH;
            org.awaitility.Awaitility.await()
                    .atMost(java.time.Duration.ofSeconds(60))
                    .until(() -> count.get() >= enough);
        }
    }

    private static void write(TestNode node, String schema, AtomicBoolean stop, AtomicInteger acknowledged) {
        int number = 0;
        while (!stop.get()) {
            try (var connection = node.connect();
                    var statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                while (!stop.get()) {
                    String id = node.id() + number++;
                    statement.execute("UPDATE " + schema + ".item SET n = n + 1, v = '" + id + "'");
                    statement.execute("INSERT INTO " + schema + ".done VALUES ('" + id + "')");
                    connection.commit();
                    acknowledged.incrementAndGet();
                    // Each write that meets others is folded with them: the streams are to keep up.
                    LockSupport.parkNanos(10_000_000);
                }
            } catch (SQLException e) {
                // The server is away, or a deadlock: again, under another id.
                LockSupport.parkNanos(50_000_000);
            }
        }
    }
}
