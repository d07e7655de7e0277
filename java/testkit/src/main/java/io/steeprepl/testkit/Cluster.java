package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Some nodes a, b, c, … in a temporary folder, each on a server of its own; closing ends and removes them. */
public final class Cluster implements AutoCloseable {
    private final Path folder;
    private final List<TestNode> nodes = new ArrayList<>();

    private Cluster(Path folder) {
        this.folder = folder;
    }

    /** Starts {@code count} nodes that do not know each other. */
    public static Cluster start(int count) {
        return start(count, UnaryOperator.identity());
    }

    /** The same, each with a {@link Clock} of its own, where {@link Clock#missing} says nothing. */
    public static Cluster startWithClocks(int count) {
        return start(count, Server::withClock);
    }

    private static Cluster start(int count, UnaryOperator<Server> made) {
        try {
            Path folder = Files.createTempDirectory("steep-repl-test");
            Permissions.readable(folder);
            Account.give(folder);
            Cluster cluster = new Cluster(folder);
            try {
                for (int i = 0; i < count; i++) {
                    String id = String.valueOf((char) ('a' + i));
                    Server server = made.apply(Server.at(folder.resolve(id), count, false))
                            .start();
                    cluster.nodes.add(new TestNode(id, server, "test").create());
                }
                return cluster;
            } catch (RuntimeException e) {
                cluster.close();
                throw e;
            }
        } catch (IOException e) {
            throw new TestkitException("cannot make a folder for a cluster", e);
        }
    }

    public TestNode node(int index) {
        return nodes.get(index);
    }

    public List<TestNode> nodes() {
        return List.copyOf(nodes);
    }

    /** Links the first {@code count} nodes with each other, both ways, and waits until all stream. */
    public Cluster link(int count) {
        List<TestNode> some = nodes.subList(0, count);
        Links.linkAll(some);
        return this;
    }

    /** Waits until a table has the same contents on all of the given nodes, and says how they differ if it does not. */
    public static void awaitEqual(String table, List<TestNode> nodes) {
        Awaitility.await("equal contents of " + table)
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(100))
                .ignoreExceptions()
                .until(() ->
                        nodes.stream().map(n -> n.contents(table)).distinct().count() == 1);
    }

    /** The ends of all server logs, for the report of a failed test. */
    public String logs() {
        StringBuilder text = new StringBuilder();
        nodes.forEach(n -> text.append("--- log of ")
                .append(n.id())
                .append('\n')
                .append(n.server().logTail(40))
                .append('\n'));
        return text.toString();
    }

    @Override
    public void close() {
        nodes.forEach(n -> n.server().discard());
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(java.util.Comparator.reverseOrder())
                    .forEach(file -> Objects.requireNonNull(file).toFile().delete());
        } catch (IOException e) {
            throw new TestkitException("cannot remove " + folder, e);
        }
    }
}
