package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.Proxy;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Three nodes, many sessions on each, ranges that are used up quickly, and a network that is cut meanwhile. */
@ExtendWith(ClusterLogs.class)
class RangeMeshIT {
    private static final int SESSIONS = 8;
    private static final int ROWS = 400;
    private static final List<String> TABLES = List.of("orders", "items");
    private static final String OVERLAPS = """
            SELECT string_agg(format('%s %s-%s of %s and %s-%s of %s', a.table_name, a.range_start, a.range_end, a.node_id, b.range_start,
                b.range_end, b.node_id), ', ')
              FROM steep_repl.identity_ranges a JOIN steep_repl.identity_ranges b
                ON (a.table_schema, a.table_name) = (b.table_schema, b.table_name) AND a.id < b.id
               AND a.range_start <= b.range_end AND b.range_start <= a.range_end""";

    private final Cluster cluster = Cluster.start(3);
    private final List<Proxy> proxies = new ArrayList<>();

    @BeforeEach
    void link() {
        cluster.nodes().forEach(node -> proxies.add(new Proxy(node.server().port())));
        for (int to = 0; to < 3; to++) {
            TestNode receiver = cluster.node(to);
            receiver.execute("ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'", "SELECT pg_reload_conf()");
            for (int from = 0; from < 3; from++) {
                if (to != from) {
                    receiver.query("SELECT steep_repl.subscribe('host=127.0.0.1 port="
                            + proxies.get(from).port() + " dbname=test user=postgres')");
                }
            }
        }
        for (TestNode node : cluster.nodes()) {
            cluster.nodes().stream()
                    .filter(other -> !other.equals(node))
                    .forEach(other -> Sql.awaitStreaming(node, other.id()));
            node.execute(
                    "CREATE TABLE orders (id bigserial PRIMARY KEY, who text NOT NULL)",
                    "CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text NOT NULL)");
        }
        cluster.node(0)
                .execute(
                        "SET steep_repl.default_range_size = 300",
                        "SELECT steep_repl.add_table('orders')",
                        // With the trigger, in small blocks; the other in large ones, without.
                        "SET steep_repl.default_range_size = 20",
                        "SELECT steep_repl.add_table('items')");
        cluster.nodes()
                .forEach(node -> Sql.await(
                        node, "SELECT string_agg(state, ' ') FROM steep_repl.replicated_tables()", "ready ready"));
    }

    @AfterEach
    void stop() {
        proxies.forEach(Proxy::close);
        cluster.close();
    }

    @Test
    void noIdIsHandedOutTwiceWhateverTheNetworkDoes() throws Exception {
        List<Future<List<String>>> sessions = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (TestNode node : cluster.nodes()) {
                for (int s = 0; s < SESSIONS; s++) {
                    Callable<List<String>> work = () -> insert(node);
                    sessions.add(threads.submit(work));
                }
            }
            for (int cut = 0; sessions.stream().anyMatch(session -> !session.isDone()); cut++) {
                Proxy proxy = proxies.get(cut % 3);
                proxy.cut();
                Thread.sleep(300);
                proxy.mend();
            }
        }
        Set<String> ids = new HashSet<>();
        for (Future<List<String>> session : sessions) {
            for (String id : session.get()) {
                assertThat(ids.add(id)).as("%s was handed out twice", id).isTrue();
            }
        }
        assertThat(ids).hasSize(3 * SESSIONS * ROWS * TABLES.size());
        TABLES.forEach(table -> Cluster.awaitEqual(table, cluster.nodes()));
        for (TestNode node : cluster.nodes()) {
            // All have heard of all ranges: each of several, which hold every row.
            Sql.await(
                    node,
                    "SELECT count(*) FROM (SELECT 1 FROM steep_repl.identity_ranges WHERE table_name = 'orders'"
                            + " GROUP BY node_id HAVING count(*) > 5) n",
                    "3");
            Sql.await(
                    node,
                    "SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT 1 FROM steep_repl.identity_ranges r"
                            + " WHERE r.table_name = 'orders' AND r.node_id = o.who AND o.id BETWEEN r.range_start AND r.range_end)",
                    "0");
            assertThat(node.query(OVERLAPS)).isEmpty();
            assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log"))
                    .isEqualTo("0");
        }
    }

    /** A session of an application; what it was told that its rows are called. */
    private static List<String> insert(TestNode node) throws SQLException {
        List<String> ids = new ArrayList<>();
        try (Connection connection = node.connect()) {
            for (int row = 0; row < ROWS; row++) {
                for (String table : TABLES) {
                    try (PreparedStatement statement =
                            connection.prepareStatement("INSERT INTO " + table + " (who) VALUES (?) RETURNING id,"
                                    + " currval(pg_get_serial_sequence('" + table + "', 'id')) = id")) {
                        statement.setString(1, node.id());
                        try (ResultSet result = statement.executeQuery()) {
                            result.next();
                            ids.add(table + " " + result.getLong(1));
                            assertThat(result.getBoolean(2))
                                    .as("currval is the id")
                                    .isTrue();
                        }
                    }
                }
            }
        }
        return ids;
    }
}
