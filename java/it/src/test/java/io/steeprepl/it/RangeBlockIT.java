package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Blocks that are large enough to be left before their end, so that no trigger replaces an id. */
@ExtendWith(ClusterLogs.class)
class RangeBlockIT {
    private static Cluster cluster;
    private static TestNode a;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** A table with blocks of 16,000 ids on both nodes. */
    private static void table(String name) {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE " + name + " (id bigserial PRIMARY KEY, v text)"));
        add(160, name);
    }

    private static void add(int size, String name) {
        a.execute("SET steep_repl.default_range_size = " + size, "SELECT steep_repl.add_table('" + name + "')");
        Sql.awaitReady(cluster, name);
    }

    private static List<Long> ids(Connection session, String sql) throws SQLException {
        List<Long> ids = new ArrayList<>();
        try (Statement statement = session.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                ids.add(rows.getLong(1));
            }
        }
        return ids;
    }

    /** Every id of a table is in a range of one node, and no two ranges have one. */
    private static void assertWhose(String table) {
        Cluster.awaitEqual(table, cluster.nodes());
        String strays = "SELECT count(*) FROM " + table + " t WHERE (SELECT count(*) FROM steep_repl.identity_ranges r"
                + " WHERE r.table_name = '" + table + "' AND t.id BETWEEN r.range_start AND r.range_end) <> 1";
        cluster.nodes().forEach(node -> Sql.await(node, strays, "0"));
    }

    /** In blocks of 16,000 ids, large enough to leave their ends unused. */
    @Test
    void blocksAreLeftBeforeTheirEndWithoutATrigger() throws Exception {
        table("large");
        assertThat(
                        a.query(
                                "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'large'::regclass AND tgname = '!steep_repl_range'"))
                .isEqualTo("0");
        Set<Long> seen = ConcurrentHashMap.newKeySet();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Boolean>> work = new ArrayList<>();
            for (int session = 0; session < 8; session++) {
                TestNode node = cluster.node(session % 2);
                work.add(() -> {
                    try (Connection connection = node.connect()) {
                        for (int rows : List.of(1, 3000, 1, 170, 4000, 1, 1)) {
                            for (long id : ids(
                                    connection,
                                    "INSERT INTO large SELECT FROM generate_series(1, " + rows + ") RETURNING id")) {
                                assertThat(seen.add(id)).as("%s once", id).isTrue();
                            }
                        }
                    }
                    return true;
                });
            }
            for (Future<Boolean> done : threads.invokeAll(work)) {
                done.get();
            }
        }
        // One statement through many ranges and several blocks.
        seen.addAll(a.rows("INSERT INTO large SELECT FROM generate_series(1, 40000) RETURNING id").stream()
                .map(Long::valueOf)
                .toList());
        assertThat(seen).hasSize(8 * 7_174 + 40_000);
        assertWhose("large");
    }

    @Test
    void valuesDrawnFarPastTheEndAreRefusedAndTheNextOneIsGood() throws SQLException {
        table("overrun");
        String drawn =
                "WITH drawn AS MATERIALIZED (SELECT nextval('overrun_id_seq') AS id FROM generate_series(1, 17000))"
                        + " INSERT INTO overrun (id) SELECT id FROM drawn ORDER BY id DESC";
        // In one transaction that keeps the worker from moving the sequence in the midst of it.
        String error = Sql.error(a, "SELECT steep_repl._hold_range('overrun_id_seq'::regclass); " + drawn);
        assertThat(error).startsWith("40001 the sequence gave id 17000 of table public.overrun");
        a.execute("INSERT INTO overrun DEFAULT VALUES");
        // Whether this session or the worker is the first to see where the sequence stands, no other error comes of it.
        int refused = 0;
        for (int set = 20_000; refused == 0; set += 10) {
            a.query("SELECT setval('overrun_id_seq', " + set + ")");
            try (Connection session = a.connect()) {
                ids(session, "INSERT INTO overrun DEFAULT VALUES RETURNING id");
            } catch (SQLException failure) {
                assertThat(failure.getMessage()).contains("the sequence gave id " + (set + 1));
                refused++;
            }
        }
        a.execute("INSERT INTO overrun SELECT FROM generate_series(1, 200)");
        assertWhose("overrun");
    }

    /** Hibernate's pooled ids: a value of the sequence stands for as many ids as it counts, up to it or from it on. */
    @Test
    void idsBetweenTheValuesOfASequenceThatCountsInStepsAreThisNodes() {
        cluster.nodes()
                .forEach(
                        node -> node.execute(
                                "CREATE SEQUENCE pooled_seq INCREMENT BY 50",
                                "CREATE TABLE pooled (id bigint PRIMARY KEY DEFAULT nextval('pooled_seq'))",
                                "CREATE FUNCTION draw_pooled(n int) RETURNS void LANGUAGE plpgsql AS $$DECLARE got bigint; BEGIN FOR i IN 1..n LOOP"
                                        + " got := nextval('pooled_seq'); INSERT INTO pooled VALUES (got - 49), (got), (got + 49); END LOOP; END $$"));
        a.execute("SELECT setval('pooled_seq', 1)");
        add(8000, "pooled");
        // More than a block of 800,000.
        cluster.nodes().forEach(node -> node.query("SELECT draw_pooled(16500)"));
        Cluster.awaitEqual("pooled", cluster.nodes());
        assertThat(a.query("SELECT count(*), min(id) FROM pooled")).isEqualTo("99000|2");
        assertThat(a.query("SELECT max(id) > 1600000 FROM pooled")).isEqualTo("t");
    }
}
