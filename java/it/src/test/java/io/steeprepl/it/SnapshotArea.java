package io.steeprepl.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** Two nodes on one server, the first with rows and the second with empty tables, and a folder for snapshots. */
final class SnapshotArea implements AutoCloseable {
    /** What each snapshot of the first node holds. */
    static final long TABLES = 3;

    static final long ROWS = 30_010;

    private final Cluster cluster = Cluster.start(1);
    final TestNode full = cluster.node(0);
    final TestNode empty = new TestNode("b", full.server(), "other").create();

    SnapshotArea() {
        for (TestNode node : List.of(full, empty)) {
            node.execute(
                    "CREATE SCHEMA shop",
                    "CREATE TABLE shop.big (id int PRIMARY KEY, v text)",
                    "CREATE TABLE shop.\"Odd Name\" (id serial PRIMARY KEY, v text)",
                    // Held back by a lock, it holds back the whole snapshot.
                    "CREATE TABLE shop.gate (id int PRIMARY KEY)");
        }
        full.execute(
                "INSERT INTO shop.big SELECT g, repeat('x', 100) || g FROM generate_series(1, 30000) g",
                "INSERT INTO shop.\"Odd Name\" (v) SELECT 'a\tb\\N' || g FROM generate_series(1, 10) g");
    }

    /** The cluster, for its logs. */
    Cluster cluster() {
        return cluster;
    }

    /** A folder that the server may write, and that does not exist yet. */
    Path folder(String name) {
        return full.server().dataDir().resolveSibling(name);
    }

    /** Runs {@code snapshot …} on a node. */
    static Commands.Ended snapshot(TestNode node, Object... args) {
        return Commands.run(
                node.uri(),
                Stream.concat(Stream.of("snapshot"), Stream.of(args).map(Object::toString))
                        .toArray(String[]::new));
    }

    /** The same while others go on. */
    static CompletableFuture<Commands.Ended> begin(TestNode node, Object... args) {
        return CompletableFuture.supplyAsync(
                () -> snapshot(node, args), command -> Thread.ofPlatform().start(command));
    }

    /** What was printed, an object a line. */
    static List<JsonNode> lines(Commands.Ended ended) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : ended.out().lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    /** Keeps every snapshot of the first node from getting at its tables, until it is closed. */
    Gate shut() throws SQLException {
        return new Gate(full);
    }

    /** A lock on a table. */
    static final class Gate implements AutoCloseable {
        private final Connection connection;
        private final TestNode node;

        private Gate(TestNode node) throws SQLException {
            this.node = node;
            connection = node.connect();
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                statement.execute("LOCK TABLE shop.gate");
            }
        }

        /** Waits until a snapshot stands before it; the number of its work. */
        long awaitWork() {
            String standing =
                    " FROM steep_repl.snapshot_progress() WHERE state = 'running' AND phase LIKE 'waiting for%'";
            Sql.await(node, "SELECT count(*)" + standing, "1");
            return Long.parseLong(node.query("SELECT id" + standing));
        }

        /** Waits until a command that follows the work has looked again: it prints what it sees then. */
        void awaitLook() {
            String now = node.query("SELECT clock_timestamp()");
            Sql.await(
                    node,
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'steep-repl' AND state = 'idle'"
                            + " AND query LIKE '%progress(%' AND query_start > '" + now + "'",
                    "1");
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }

    @Override
    public void close() {
        cluster.close();
    }
}
