package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A folder in which the servers of a test may write, and what tests do with snapshots there. */
record SnapshotPlace(Path folder) {
    /** Beside a node's data, owned by whom the servers run as. */
    static SnapshotPlace beside(TestNode node) {
        Path folder = node.server().dataDir().resolveSibling("snapshots");
        node.shell("mkdir -p " + folder);
        return new SnapshotPlace(folder);
    }

    Path path(String name) {
        return folder.resolve(name);
    }

    /** Asks for a snapshot and returns the work's id at once. */
    String start(TestNode node, String name, String more) {
        return node.query("SELECT id FROM steep_repl.start_snapshot('" + path(name) + "'" + more + ")");
    }

    String take(TestNode node, String name, String more) {
        String id = start(node, name, more);
        awaitState(node, id, "complete");
        return id;
    }

    String startApply(TestNode node, String name, String more) {
        return node.query("SELECT id FROM steep_repl.start_apply('" + path(name) + "'" + more + ")");
    }

    void apply(TestNode node, String name, String more) {
        awaitState(node, startApply(node, name, more), "complete");
    }

    /** Waits until work has ended, which must be in that state. */
    static void awaitState(TestNode node, String id, String state) {
        String ended = Awaitility.await("work " + id)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(
                        () -> node.query("SELECT state || coalesce(': ' || error, '') FROM steep_repl.work_queue"
                                + " WHERE id = " + id + " AND state NOT IN ('pending', 'running')"),
                        text -> !text.isEmpty());
        if (!ended.split(":")[0].equals(state)) {
            throw new AssertionError("work " + id + " is " + ended + ", not " + state);
        }
    }

    /** How far work is, in percent. */
    static double percent(TestNode node, String id) {
        String percent = node.query("SELECT percent FROM steep_repl.work_progress(" + id + ")");
        return percent.isEmpty() ? 0 : Double.parseDouble(percent);
    }

    /** The names in the folder, sorted. */
    List<String> names() throws IOException {
        try (Stream<Path> found = Files.list(folder)) {
            return found.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
