package io.steeprepl.it.conflict;

import io.steeprepl.testkit.Server;
import io.steeprepl.testkit.TestNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/** Two databases of a server without the extension, which replicate to each other natively, without loops ({@code origin = none}). */
final class Native implements AutoCloseable {
    private final Server server;
    private final TestNode a;
    private final TestNode b;
    private int count;

    Native(Path folder) {
        server = Server.plain(folder).start();
        server.configure(
                "wal_level = logical\nmax_replication_slots = 60\nmax_active_replication_origins = 60\nmax_wal_senders = 60\nmax_logical_replication_workers = 60\nmax_worker_processes = 70\n"
                        + "wal_retrieve_retry_interval = '200ms'");
        server.stop();
        server.start();
        a = new TestNode("a", server, "north");
        b = new TestNode("b", server, "south");
        TestNode postgres = new TestNode("postgres", server, "postgres");
        postgres.execute("CREATE DATABASE north", "CREATE DATABASE south");
    }

    String version() {
        return a.query("SHOW server_version").split(" ")[0];
    }

    /** What both hold after a scenario, in words. */
    String outcome(Scenario scenario) {
        String schema = "case" + ++count;
        for (TestNode node : List.of(a, b)) {
            node.execute(
                    "CREATE SCHEMA " + schema,
                    "SET search_path = " + schema,
                    "CREATE TABLE item (" + scenario.columns() + ")",
                    "ALTER TABLE item REPLICA IDENTITY FULL",
                    "CREATE TABLE tide (id int PRIMARY KEY)",
                    scenario.rows().isEmpty() ? "SELECT 1" : values(scenario),
                    "CREATE PUBLICATION " + schema + " FOR TABLE item, tide",
                    "SELECT pg_create_logical_replication_slot('" + slot(node, schema) + "', 'pgoutput')");
        }
        // Nothing flows before both have written.
        a.execute("SET search_path = " + schema, scenario.a(), "INSERT INTO tide VALUES (1)");
        b.execute("SET search_path = " + schema, scenario.b(), "INSERT INTO tide VALUES (2)");
        subscribe(a, b, schema);
        subscribe(b, a, schema);
        boolean reachedA = arrives(a, "2", schema);
        boolean reachedB = arrives(b, "1", schema);
        String stall = reachedA && reachedB
                ? ""
                : reachedA || reachedB ? "One stream stands still. " : "Both streams stand still. ";
        return stall + Outcome.compare(rows(a, schema, scenario), rows(b, schema, scenario));
    }

    private static String values(Scenario scenario) {
        String all = String.join(", ", scenario.rows());
        return all.contains("generate_series")
                ? "INSERT INTO item SELECT " + all.substring(1, all.length() - 1)
                : "INSERT INTO item VALUES " + all;
    }

    private static String slot(TestNode publisher, String schema) {
        return schema + "_from_" + publisher.id();
    }

    private static void subscribe(TestNode node, TestNode peer, String schema) {
        node.execute("CREATE SUBSCRIPTION " + slot(peer, schema) + " CONNECTION '" + peer.conninfo() + "' PUBLICATION "
                + schema + " WITH (origin = none, copy_data = false, create_slot = false)");
    }

    /** Whether the other's last write arrives, or the apply worker fails again and again. */
    private static boolean arrives(TestNode node, String tide, String schema) {
        String sql =
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM " + schema + ".tide WHERE id = " + tide + ") THEN 'arrived'"
                        + " WHEN (SELECT sum(apply_error_count) > 2 FROM pg_stat_subscription_stats WHERE subname LIKE '"
                        + schema + "\\_from\\_%'"
                        + " AND subid IN (SELECT oid FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))) THEN 'stalled' ELSE '' END";
        String[] result = {""};
        Awaitility.await("the end of " + schema + " on " + node.id())
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> {
                    result[0] = node.query(sql);
                    return !result[0].isEmpty();
                });
        return result[0].equals("arrived");
    }

    private static List<String> rows(TestNode node, String schema, Scenario scenario) {
        return node.rows(scenario.shown().replace("item", schema + ".item"));
    }

    @Override
    public void close() {
        server.discard();
    }
}
