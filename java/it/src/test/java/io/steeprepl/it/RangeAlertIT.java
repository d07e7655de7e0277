package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** At 80 and at 95 percent a range is told of, once each, before it ends. */
@ExtendWith(ClusterLogs.class)
class RangeAlertIT {
    private static final Cluster CLUSTER = Cluster.start(2).link(2);
    private static final TestNode A = CLUSTER.node(0);

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    private static void insert(int rows) {
        A.execute("INSERT INTO item SELECT FROM generate_series(1, " + rows + ")");
    }

    private static String told() {
        return A.query("SELECT string_agg(new_value->>'percent', ' ' ORDER BY id) FROM steep_repl.audit_log"
                + " WHERE action = 'range.threshold' AND target_id = 'public.item'");
    }

    private static String used() {
        return A.query("SELECT r->>'percent_used' FROM jsonb_array_elements(steep_repl.health()->'ranges') r"
                + " WHERE r->>'table' = 'public.item'");
    }

    @Test
    void itIsToldAtEachThresholdAndWhenItGoesOnInTheNextOne() throws SQLException {
        CLUSTER.nodes().forEach(node -> node.execute("CREATE TABLE item (id bigserial PRIMARY KEY)"));
        A.execute("SET steep_repl.default_range_size = 100", "SELECT steep_repl.add_table('item')");
        Sql.await(A, "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'item'", "ready");
        try (Listener alarms = Listener.on(A, "steep_repl_alarm")) {
            insert(78);
            insert(2);
            assertThat(used()).isEqualTo("80.0");
            assertThat(alarms.hear(1))
                    .singleElement()
                    .asString()
                    .contains("\"kind\": \"range\"", "\"state\": \"begun\"", "item is used to 80 percent");
            insert(15);
            assertThat(used()).isEqualTo("95.0");
            assertThat(alarms.hear(1)).singleElement().asString().contains("item is used to 95 percent");
            insert(10);
            assertThat(alarms.hear(1))
                    .singleElement()
                    .asString()
                    .contains("\"state\": \"over\"", "item goes on in another range of ids");
        }
        assertThat(told()).isEqualTo("80 95");
        assertThat(A.query("SELECT count(*) FROM item")).isEqualTo("105");
    }
}
