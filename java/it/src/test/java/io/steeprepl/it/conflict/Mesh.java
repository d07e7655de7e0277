package io.steeprepl.it.conflict;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Linked nodes a, b, … whose links are paused while they write apart, and resumed to bring them together. */
final class Mesh implements AutoCloseable {
    private static final Duration LONG = Duration.ofSeconds(60);

    private final Cluster cluster;
    private final AtomicInteger tables = new AtomicInteger();

    private Mesh(Cluster cluster) {
        this.cluster = cluster;
    }

    static Mesh start(int size) {
        return start(Cluster.start(size));
    }

    /** Of nodes that do not know each other yet. */
    static Mesh start(Cluster cluster) {
        Mesh mesh = new Mesh(cluster);
        try {
            mesh.nodes()
                    .forEach(node -> node.execute(
                            "ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'",
                            // A machine that stands still for a second is no function that does.
                            "ALTER SYSTEM SET steep_repl.resolver_timeout = '5s'",
                            "SELECT pg_reload_conf()",
                            "CREATE TABLE tide (node text PRIMARY KEY, n int)"));
            mesh.link();
            mesh.node("a").execute("SELECT steep_repl.add_table('tide')");
            mesh.awaitReady("public");
            mesh.nodes().forEach(node -> node.execute("INSERT INTO tide VALUES ('" + node.id() + "', 0)"));
            return mesh;
        } catch (RuntimeException e) {
            mesh.close();
            throw e;
        }
    }

    /**
     * Three nodes are linked by the superuser; two by the small role of the guide, so that all that conflicts need of a peer is
     * tried with no more than its rights.
     */
    private void link() {
        if (nodes().size() > 2) {
            cluster.link(nodes().size());
            return;
        }
        nodes().forEach(node -> node.execute(
                "CREATE ROLE steep_link LOGIN REPLICATION IN ROLE steep_repl_admin",
                "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO steep_link",
                "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO steep_link",
                "GRANT SELECT ON tide TO steep_link"));
        nodes().forEach(node -> node.query("SELECT steep_repl.subscribe('"
                + other(node.id()).conninfo().replace("user=postgres", "user=steep_link") + "')"));
        nodes().forEach(node ->
                await(node, "SELECT string_agg(state, ', ') FROM steep_repl.subscription_status()", "streaming"));
    }

    List<TestNode> nodes() {
        return cluster.nodes();
    }

    TestNode node(String id) {
        return nodes().stream().filter(n -> n.id().equals(id)).findFirst().orElseThrow();
    }

    /** On two nodes: the one beside it. */
    TestNode other(String id) {
        return nodes().stream().filter(n -> !n.id().equals(id)).findFirst().orElseThrow();
    }

    /** A replicated table {@code item} in a schema of its own, with these rows on all nodes. */
    Table table(String columns, String... rows) {
        return tableOf("CREATE TABLE item (" + columns + ")", "item", rows);
    }

    /** A replicated table made by any statements, in a schema of its own. */
    Table tableOf(String create, String name, String... rows) {
        return new Table(this, "case" + tables.incrementAndGet(), name)
                .create(create, rows)
                .add("");
    }

    /** A table that does not replicate yet. */
    Table plain(String create, String name, String... rows) {
        return new Table(this, "case" + tables.incrementAndGet(), name).create(create, rows);
    }

    void awaitReady(String schema) {
        String all = "SELECT coalesce(string_agg(DISTINCT state || coalesce(': ' || reason, ''), ', '), 'none')"
                + " FROM steep_repl.replicated_tables() WHERE table_schema = '" + schema + "'";
        nodes().forEach(node -> await(node, all, "ready"));
    }

    static void await(TestNode node, String sql, String expected) {
        String[] last = {""};
        try {
            Awaitility.await()
                    .atMost(LONG)
                    .pollInterval(Duration.ofMillis(30))
                    .ignoreExceptions()
                    .until(() -> {
                        last[0] = node.query(sql);
                        return last[0].equals(expected);
                    });
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "«" + sql + "» should give " + expected + " on " + node.id() + ", it gave " + last[0], e);
        }
    }

    /** From now on no node receives anything. */
    void pause() {
        nodes().forEach(receiver -> nodes().stream()
                .filter(sender -> !sender.equals(receiver))
                .forEach(sender -> pause(receiver.id(), sender.id())));
    }

    void pause(String receiver, String sender) {
        node(receiver).query("SELECT steep_repl.pause('" + sender + "')");
    }

    void resume(String receiver, String sender) {
        node(receiver).query("SELECT steep_repl.resume('" + sender + "')");
    }

    /** Brings together what was written apart: resumes all links and waits until nothing is on its way. */
    void resume() {
        nodes().forEach(receiver -> nodes().stream()
                .filter(sender -> !sender.equals(receiver))
                .forEach(sender -> resume(receiver.id(), sender.id())));
        drain();
    }

    /** The same, but for one link; between the others nothing is on its way any more. */
    void resumeBut(String receiver, String sender) {
        for (TestNode to : nodes()) {
            for (TestNode from : nodes()) {
                if (!to.equals(from) && !(to.id().equals(receiver) && from.id().equals(sender))) {
                    receive(to.id(), from.id());
                }
            }
        }
    }

    /** Lets one receive all that the other has written so far. */
    void receive(String receiver, String sender) {
        resume(receiver, sender);
        await(node(receiver), "SELECT n FROM tide WHERE node = '" + sender + "'", tide(node(sender)));
    }

    /** Waits until all that was written anywhere has been applied everywhere, also what conflicts made the nodes write. */
    void drain() {
        String idle = "SELECT count(*) FROM steep_repl.displaced_queue";
        for (int round = 0; round < 2; round++) {
            for (TestNode sender : nodes()) {
                String now = tide(sender);
                nodes().forEach(node -> await(node, "SELECT n FROM tide WHERE node = '" + sender.id() + "'", now));
            }
            nodes().forEach(node -> await(node, idle, "0"));
        }
    }

    private static String tide(TestNode node) {
        return node.query("UPDATE tide SET n = n + 1 WHERE node = '" + node.id() + "' RETURNING n");
    }

    String logs() {
        return cluster.logs();
    }

    @Override
    public void close() {
        cluster.close();
    }
}
