package io.steeprepl.it.history;

import io.steeprepl.it.history.oracle.Texts;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.Proxy;
import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** Linked nodes, with a network between them that can be cut, and the tables of all histories. */
final class Mesh implements AutoCloseable {
    private static final Pattern WRONG = Pattern.compile(" (WARNING|ERROR|FATAL|PANIC): ");
    private static final int LINES = 500;
    private static final int SHOWN = 40;

    private final Cluster cluster;
    private final Map<List<Integer>, Proxy> links = new HashMap<>();
    private final List<Eye> eyes = new ArrayList<>();

    private Mesh(Cluster cluster) {
        this.cluster = cluster;
        cluster.nodes().forEach(node -> eyes.add(new Eye(node)));
    }

    static Mesh start(int nodes) {
        Mesh mesh = new Mesh(Cluster.start(nodes));
        try {
            mesh.quicken();
            mesh.link();
            mesh.addTables();
            return mesh;
        } catch (RuntimeException e) {
            mesh.close();
            throw e;
        }
    }

    /** Waits that are there to spare a busy server would only make the histories long. */
    private void quicken() {
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "ALTER SYSTEM SET wal_retrieve_retry_interval = '100ms'",
                    "ALTER SYSTEM SET deadlock_timeout = '200ms'",
                    "SELECT pg_reload_conf()");
        }
    }

    private void link() {
        for (int receiver = 0; receiver < size(); receiver++) {
            for (int sender = 0; sender < size(); sender++) {
                if (receiver != sender) {
                    Proxy proxy = new Proxy(node(sender).server().port());
                    links.put(List.of(receiver, sender), proxy);
                    node(receiver)
                            .query("SELECT steep_repl.subscribe('host=127.0.0.1 port=" + proxy.port()
                                    + " dbname=test user=postgres')");
                }
            }
        }
        awaitAll(
                "SELECT count(*) FROM steep_repl.subscription_status() WHERE state = 'streaming'",
                Integer.toString(size() - 1));
    }

    private void addTables() {
        for (TestNode node : cluster.nodes()) {
            for (Shape shape : Shape.values()) {
                node.execute(shape.create());
            }
            node.execute(Drain.CREATE, Shape.RESOLVER);
        }
        for (Shape shape : Shape.values()) {
            node(0).execute(shape.add());
        }
        node(0).execute(Drain.ADD);
        awaitAll(
                "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'ready'",
                Integer.toString(Shape.values().length + 1));
        List<Shape> decided = Arrays.stream(Shape.values())
                .filter(shape -> shape.strategy().isPresent())
                .toList();
        decided.forEach(shape -> node(0).execute("SELECT steep_repl.set_conflict_strategy('" + shape.table() + "', "
                + shape.strategy().orElseThrow() + ")"));
        awaitAll(
                "SELECT count(*) FROM steep_repl.tables WHERE strategy <> 'last_write_wins' OR delta_columns IS NOT NULL",
                Integer.toString(decided.size()));
    }

    private void awaitAll(String sql, String expected) {
        for (TestNode node : cluster.nodes()) {
            Awaitility.await("«" + sql + "» to give " + expected + " on " + node.id())
                    .atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> node.query(sql).equals(expected));
        }
    }

    int size() {
        return cluster.nodes().size();
    }

    TestNode node(int index) {
        return cluster.node(index);
    }

    Eye eye(int index) {
        return eyes.get(index);
    }

    /** The network over which one receives from the other. */
    Proxy link(int receiver, int sender) {
        return java.util.Objects.requireNonNull(links.get(List.of(receiver, sender)));
    }

    /** State of all links, and what the nodes think of their health. */
    String state() {
        StringBuilder text = new StringBuilder();
        for (TestNode node : cluster.nodes()) {
            text.append('\n').append(node.id()).append(": ");
            try {
                text.append(
                                node.rows(
                                        "SELECT peer, state, lag_bytes, last_error, blocked_by FROM steep_repl.subscription_status()"))
                        .append(' ')
                        .append(node.query("SELECT steep_repl.health()->>'reasons'"));
            } catch (TestkitException e) {
                text.append(e.getMessage());
            }
        }
        return text.toString();
    }

    /** The last things that went wrong, as the servers' logs have them. */
    String logs() {
        StringBuilder text = new StringBuilder();
        for (TestNode node : cluster.nodes()) {
            text.append("--- log of ").append(node.id()).append('\n');
            List<String> lines = node.server().logTail(LINES).lines().toList();
            List<String> wrong = new ArrayList<>();
            for (int i = 0; i < lines.size(); i++) {
                // What sessions were refused is in the trace.
                if (WRONG.matcher(lines.get(i)).find() && !lines.get(i).contains("client backend")) {
                    wrong.addAll(lines.subList(i, Math.min(i + 3, lines.size())));
                }
            }
            wrong.subList(Math.max(0, wrong.size() - SHOWN), wrong.size())
                    .forEach(line -> text.append(Texts.brief(line)).append('\n'));
        }
        return text.toString();
    }

    @Override
    public void close() {
        eyes.forEach(Eye::close);
        cluster.close();
        links.values().forEach(Proxy::close);
    }
}
