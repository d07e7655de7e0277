package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Servers that are killed, are away, or come back as other nodes: no id is handed out twice. */
@ExtendWith(ClusterLogs.class)
class RangeFaultIT {
    private final Cluster cluster = Cluster.start(2).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void orders(int rangeSize) {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE orders (id serial PRIMARY KEY, who text)"));
        a.execute("SET steep_repl.default_range_size = " + rangeSize, "SELECT steep_repl.add_table('orders')");
        cluster.nodes().forEach(node -> Sql.await(node, "SELECT state FROM steep_repl.replicated_tables()", "ready"));
    }

    private static List<Long> insert(TestNode node, int rows) {
        return node
                .rows("INSERT INTO orders (who) SELECT '" + node.id() + "' FROM generate_series(1, " + rows
                        + ") RETURNING id")
                .stream()
                .map(Long::valueOf)
                .toList();
    }

    private static void awaitMore(IdWriters writers) {
        int before = writers.ids().size();
        Awaitility.await("more ids")
                .atMost(Duration.ofSeconds(60))
                .until(() -> writers.ids().size() > before + 300);
    }

    @Test
    void killedServersGoOnBehindWhatTheyHandedOut() {
        orders(7);
        IdWriters writers = IdWriters.on(6, a, b);
        try (writers) {
            for (TestNode killed : List.of(a, b, a)) {
                awaitMore(writers);
                killed.server().kill9();
                killed.server().start();
            }
            awaitMore(writers);
        }
        assertThat(writers.refused()).isEmpty();
        assertThat(writers.twice()).isEmpty();
        Cluster.awaitEqual("orders", cluster.nodes());
        // What was acknowledged is there, and nothing else stands under its id.
        assertThat(a.rows("SELECT id FROM orders").stream().map(Long::valueOf)).containsAll(writers.ids());
        assertThat(a.query("SELECT count(*) FROM steep_repl.conflict_log")).isEqualTo("0");
    }

    @Test
    void aPeerThatIsAwayForGoodIsNotNeeded() {
        orders(5);
        b.server().kill9();
        List<Long> seen = new ArrayList<>();
        for (int turn = 0; turn < 20; turn++) {
            seen.addAll(insert(a, 100));
        }
        a.server().kill9();
        a.server().start();
        for (int turn = 0; turn < 20; turn++) {
            seen.addAll(insert(a, 100));
        }
        b.server().start();
        seen.addAll(insert(b, 1000));
        assertThat(seen).doesNotHaveDuplicates();
        Cluster.awaitEqual("orders", cluster.nodes());
    }

    @Test
    void aNodeThatIsMadeAnewGetsNoneOfTheIdsOfItsFormerSelf() {
        orders(10);
        Set<Long> former = new HashSet<>(insert(b, 37));
        Cluster.awaitEqual("orders", cluster.nodes());
        b.execute("SELECT steep_repl.unsubscribe('a')");
        a.execute("SELECT steep_repl.unsubscribe('b')");
        cluster.nodes().forEach(node -> Sql.await(node, "SELECT count(*) FROM steep_repl.subscription_status()", "0"));
        // Handed out, and never seen by anybody else.
        former.addAll(insert(b, 25));
        a.execute("SELECT steep_repl.unregister_node('b')");
        b.server().kill9();
        b.server().start();
        TestNode anew = new TestNode("b", b.server(), "anew").create();
        anew.execute("CREATE TABLE orders (id serial PRIMARY KEY, who text)");
        anew.query("SELECT steep_repl.start_node('" + a.conninfo() + "', '" + anew.conninfo() + "')");
        Sql.await(anew, "SELECT state, error FROM steep_repl.start_progress() LIMIT 1", "complete|");
        List.of(a, anew)
                .forEach(node -> Sql.await(node, "SELECT state FROM steep_repl.subscription_status()", "streaming"));
        List<Long> seen = new ArrayList<>(insert(anew, 60));
        seen.addAll(insert(a, 60));
        assertThat(seen).doesNotHaveDuplicates().doesNotContainAnyElementsOf(former);
        Cluster.awaitEqual("orders", List.of(a, anew));
    }
}
