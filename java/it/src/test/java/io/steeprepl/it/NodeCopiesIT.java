package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** More than one node from physical backups, while all are written to. */
@ExtendWith(ClusterLogs.class)
class NodeCopiesIT {
    private static final String PROGRESS = "SELECT state || coalesce(error, '') FROM steep_repl.start_progress()";

    private final Cluster cluster = Cluster.start(2).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);
    private final List<TestNode> copies = new ArrayList<>();

    @BeforeEach
    void tables() {
        ShopLoad.tables(cluster.nodes());
    }

    @AfterEach
    void stop() {
        for (TestNode copy : copies) {
            System.err.println("--- log of " + copy.id() + "\n" + copy.server().logTail(40));
            copy.server().kill9();
        }
        cluster.close();
    }

    private TestNode keep(TestNode copy) {
        copies.add(copy);
        return copy;
    }

    private static void awaitComplete(TestNode node) {
        Sql.await(node, PROGRESS, "complete");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void twoNodesFromOneBackup(boolean atOnce) {
        TestNode c;
        TestNode d;
        try (ShopLoad load = new ShopLoad().on(a, b)) {
            load.await(a, 100);
            a.query("SELECT steep_repl.prepare_node()");
            load.await(b, 50);
            c = keep(PhysicalCopy.of(a, "c", false));
            d = keep(PhysicalCopy.again(c, "d"));
            PhysicalCopy.start(c);
            PhysicalCopy.start(d);
            load.await(a, 100);
            if (atOnce) {
                CompletableFuture<String> other =
                        CompletableFuture.supplyAsync(() -> d.query(PhysicalCopy.complete(d, a)));
                c.query(PhysicalCopy.complete(c, a));
                other.join();
            } else {
                c.query(PhysicalCopy.complete(c, a));
                load.on(c);
                awaitComplete(c);
                load.await(c, 100);
                d.query(PhysicalCopy.complete(d, a));
            }
            load.on(d);
            awaitComplete(c);
            awaitComplete(d);
            load.await(d, 100);
            load.await(b, 50);
        }
        ShopCheck.equal(List.of(a, b, c, d));
    }

    /** The first has told the source that it is coming, and is gone before it was entered there. */
    @Test
    void oneThatIsInterruptedDoesNotHoldUpTheOther() throws SQLException {
        a.query("SELECT steep_repl.prepare_node()");
        TestNode c = keep(PhysicalCopy.of(a, "c", false));
        TestNode d = keep(PhysicalCopy.again(c, "d"));
        PhysicalCopy.start(c);
        PhysicalCopy.start(d);
        try (Connection completing = c.connect();
                Connection session = a.connect()) {
            completing.setAutoCommit(false);
            completing.createStatement().execute(PhysicalCopy.complete(c, a));
            session.setAutoCommit(false);
            session.createStatement().execute("LOCK TABLE steep_repl.nodes IN EXCLUSIVE MODE");
            completing.commit();
            Sql.await(a, "SELECT members ? 'c' FROM steep_repl.preparations", "t");
            Sql.await(
                    a,
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%steep_repl._invite(%'",
                    "1");
            c.server().kill9();
            // It would not notice before it has done what it was asked.
            a.query(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query LIKE '%steep_repl._invite(%' AND wait_event_type = 'Lock'");
            session.rollback();
        }
        assertThat(a.query("SELECT count(*) FROM steep_repl.links WHERE peer = 'c'"))
                .isEqualTo("0");
        d.query(PhysicalCopy.complete(d, a));
        awaitComplete(d);
        c.server().start();
        awaitComplete(c);
        try (ShopLoad load = new ShopLoad().on(a, b, c, d)) {
            load.await(c, 50);
            load.await(d, 50);
        }
        ShopCheck.equal(List.of(a, b, c, d));
    }

    @Test
    void aNodeFromABackupOfANodeFromABackup() {
        TestNode c;
        TestNode d;
        try (ShopLoad load = new ShopLoad().on(a, b)) {
            load.await(a, 100);
            a.query("SELECT steep_repl.prepare_node()");
            c = keep(PhysicalCopy.of(a, "c", false));
            PhysicalCopy.start(c);
            c.query(PhysicalCopy.complete(c, a));
            load.on(c);
            awaitComplete(c);
            load.await(c, 100);
            // A link that tries a transaction again waits for a moment.
            TestNode source = c;
            Awaitility.await("c to be prepared")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> Sql.error(source, "SELECT steep_repl.prepare_node()"), "no error"::equals);
            load.await(c, 50);
            d = keep(PhysicalCopy.of(c, "d", false));
            PhysicalCopy.start(d);
            assertThat(d.query("SELECT steep_repl.health()->>'reasons'")).contains("this server is a copy of node c");
            load.await(b, 100);
            d.query(PhysicalCopy.complete(d, c));
            load.on(d);
            awaitComplete(d);
            load.await(d, 100);
            load.await(a, 50);
        }
        ShopCheck.equal(List.of(a, b, c, d));
        assertThat(d.query("SELECT count(*) FROM orders WHERE made_on = 'c'")).isNotEqualTo("0");
    }
}
