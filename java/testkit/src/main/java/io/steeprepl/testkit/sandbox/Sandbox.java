package io.steeprepl.testkit.sandbox;

import io.steeprepl.testkit.Cache;
import io.steeprepl.testkit.Links;
import io.steeprepl.testkit.Server;
import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Nodes a, b, c, … in a folder, in database {@code sandbox}; they stay up until they are stopped. */
public final class Sandbox {
    private static final String MARKER = ".steep-repl-sandbox";
    /** How many nodes a sandbox can have. */
    public static final int MOST = 9;

    private final Path dir;
    private final List<Server> started = new CopyOnWriteArrayList<>();

    /** A sandbox in that folder, which may not exist yet. */
    public Sandbox(Path dir) {
        this.dir = dir.toAbsolutePath().normalize();
    }

    /** Where a sandbox is when nobody says: in the cache, which outlives a restart of the machine. */
    public static Path usualDir() {
        return Cache.root().resolve("sandbox");
    }

    public Path dir() {
        return dir;
    }

    /**
     * Makes what is missing and starts what is down.
     *
     * @param count how many nodes there should be; 0 for as many as there are
     * @param link whether to link them with each other, both ways
     * @param tell is told what happens
     * @throws TestkitException when a node cannot be started; nodes that this call started are stopped again
     */
    public List<SandboxNode> start(int count, boolean link, Consumer<String> tell) {
        int wanted = check(count);
        try {
            List<TestNode> nodes = new ArrayList<>();
            for (int i = 0; i < wanted; i++) {
                TestNode node = node(i);
                if (node.server().pid().isEmpty()) {
                    tell.accept("starting node " + node.id());
                    started.add(node.server());
                    node.server().start();
                }
                nodes.add(node.create());
            }
            if (link) {
                tell.accept("linking "
                        + String.join(", ", nodes.stream().map(TestNode::id).toList()));
                Links.linkAll(nodes);
            }
            return status();
        } catch (RuntimeException e) {
            undo();
            throw e;
        }
    }

    /** Stops what {@link #start} of this object started: for a start that failed or was interrupted. */
    public void undo() {
        for (Server server : started) {
            try {
                server.stop();
            } catch (TestkitException e) {
                // The others are to be stopped all the same; this one will not go by itself.
                server.kill9();
            }
        }
    }

    private int check(int count) {
        int there = count();
        if (count < 0 || count > MOST) {
            throw new TestkitException("a sandbox has 1 to " + MOST + " nodes, not " + count);
        }
        if (count > 0 && count < there) {
            throw new TestkitException("the sandbox in " + dir + " has " + there + " nodes; start it with --nodes "
                    + there + " or more, or name another folder with --dir");
        }
        try {
            if (Files.isDirectory(dir) && !Files.exists(dir.resolve(MARKER)) && !isEmpty(dir)) {
                throw new TestkitException(dir + " is not empty and not a sandbox; name another folder with --dir");
            }
            boolean fresh = !Files.exists(dir) || isEmpty(dir);
            Files.createDirectories(dir);
            if (fresh) {
                // Also a folder of mktemp -d, which only root could enter.
                dir.toFile().setExecutable(true, false);
                dir.toFile().setReadable(true, false);
            }
            Files.writeString(dir.resolve(MARKER), "nodes of steep-repl sandbox\n");
        } catch (IOException e) {
            throw new TestkitException("cannot make the folder " + dir, e);
        }
        return Math.max(count, Math.max(there, 1));
    }

    /** All nodes of the sandbox, running or not. */
    public List<SandboxNode> status() {
        List<SandboxNode> nodes = new ArrayList<>();
        for (int i = 0; i < count(); i++) {
            TestNode node = node(i);
            nodes.add(new SandboxNode(
                    node.id(),
                    node.uri(),
                    node.server().pid().orElse(null),
                    node.server().dataDir().toString(),
                    node.server().log().toString()));
        }
        return nodes;
    }

    /** Stops all nodes; with {@code delete} removes the folder too. */
    public void stop(boolean delete) {
        if (!Files.exists(dir.resolve(MARKER))) {
            throw new TestkitException("there is no sandbox in " + dir);
        }
        for (int i = 0; i < count(); i++) {
            node(i).server().stop();
        }
        if (delete) {
            try (Stream<Path> files = Files.walk(dir)) {
                // The marker last: what an interrupted removal leaves can be removed again.
                Path marker = dir.resolve(MARKER);
                for (Path file : files.sorted(Comparator.reverseOrder())
                        .filter(file -> !file.equals(marker) && !file.equals(dir))
                        .toList()) {
                    Files.delete(file);
                }
                Files.delete(marker);
                Files.delete(dir);
            } catch (IOException e) {
                throw new TestkitException("cannot remove " + dir, e);
            }
        }
    }

    /** The nodes as the test kit has them. */
    public List<TestNode> nodes() {
        return java.util.stream.IntStream.range(0, count()).mapToObj(this::node).toList();
    }

    private int count() {
        int count = 0;
        while (Files.isDirectory(dir.resolve(name(count)).resolve("data"))) {
            count++;
        }
        return count;
    }

    private TestNode node(int index) {
        return new TestNode(name(index), Server.at(dir.resolve(name(index)), MOST, true), "sandbox");
    }

    private static String name(int index) {
        return String.valueOf((char) ('a' + index));
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }
}
