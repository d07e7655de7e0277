package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that was restored from a physical backup of a node becomes a node of its own. */
@ExtendWith(ClusterLogs.class)
class NodeCompleteIT {
    private final Cluster cluster = Cluster.start(2).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);
    private @Nullable TestNode copy;

    @AfterEach
    void stop() {
        PhysicalCopy.end(copy);
        cluster.close();
    }

    private TestNode copy(boolean archiveRecovery) {
        TestNode made = PhysicalCopy.of(a, "c", archiveRecovery);
        copy = made;
        made.server().start();
        Sql.await(made, "SELECT pg_is_in_recovery()", "f");
        Sql.await(made, "SELECT count(*) FROM steep_repl.copy_ends", "1");
        return made;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCopyMadeUnderLoadBecomesANode(boolean archiveRecovery) {
        ShopLoad.tables(cluster.nodes());
        TestNode c;
        try (ShopLoad load = new ShopLoad().on(a, b)) {
            load.await(a, 200);
            a.query("SELECT steep_repl.prepare_node()");
            load.await(b, 100);
            c = copy(archiveRecovery);
            assertThat(c.query("SELECT steep_repl.health()->>'reasons'")).contains("it waits for complete_node()");
            load.await(a, 200);
            assertThat(c.query("SELECT count(*) FROM pg_subscription WHERE subenabled"))
                    .isEqualTo("0");
            complete(c, archiveRecovery);
            load.on(c);
            Sql.await(c, "SELECT state || coalesce(error, '') FROM steep_repl.start_progress()", "complete");
            load.await(c, 300);
            load.await(a, 100);
        }
        List<TestNode> all = List.of(a, b, c);
        ShopCheck.equal(all);
        olderRowsAreDecidedAlike(all);
        // There were very many conflicts.
        assertThat(c.rows("SELECT r FROM jsonb_array_elements_text(steep_repl.health()->'reasons') r"))
                .allMatch(reason -> reason.startsWith("conflicts: "));
    }

    private void complete(TestNode c, boolean byCommand) {
        if (byCommand) {
            Commands.Ended ended =
                    Commands.run(c.uri(), "node", "complete", c.uri(), "--from", a.uri(), "--node-id", "c");
            assertThat(ended.code()).as(ended.err()).isZero();
        } else {
            c.query(PhysicalCopy.complete(c, a));
        }
    }

    private static void olderRowsAreDecidedAlike(List<TestNode> nodes) {
        TestNode b = nodes.get(1);
        TestNode c = nodes.get(2);
        b.query("SELECT steep_repl.pause('c')");
        c.query("SELECT steep_repl.pause('b')");
        for (int i = 1; i <= 20; i++) {
            b.execute("INSERT INTO item VALUES (" + i + ", 'b') ON CONFLICT (id) DO UPDATE SET v = 'b'");
            c.execute(
                    i % 2 == 0
                            ? "DELETE FROM item WHERE id = " + i
                            : "INSERT INTO item VALUES (" + i + ", 'c') ON CONFLICT (id) DO UPDATE SET v = 'c'");
        }
        b.query("SELECT steep_repl.resume('c')");
        c.query("SELECT steep_repl.resume('b')");
        Cluster.awaitEqual("item", nodes);
        for (TestNode node : nodes) {
            Sql.await(node, "SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL", "0");
        }
    }
}
