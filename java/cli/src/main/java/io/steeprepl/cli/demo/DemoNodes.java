package io.steeprepl.cli.demo;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.output.Output;
import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import io.steeprepl.testkit.sandbox.Sandbox;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The two servers and their folder. Starting and removing exclude each other: Ctrl-C comes at any time. */
final class DemoNodes {
    private final Sandbox sandbox;
    private boolean begun;
    private boolean removed;
    private volatile boolean cancelled;

    private DemoNodes(Sandbox sandbox) {
        this.sandbox = sandbox;
    }

    /** In {@code dir}, which must be empty or not exist, or in a new temporary folder. Starts nothing yet. */
    static DemoNodes in(@Nullable Path dir) {
        try {
            if (dir != null) {
                if (Files.exists(dir) && !emptyFolder(dir)) {
                    throw new ApiException.Usage(dir + " is not an empty folder", "name one that does not exist yet");
                }
                return new DemoNodes(new Sandbox(dir));
            }
            File made = Files.createTempDirectory("steep-repl-demo").toFile();
            // Run by root, the servers have an account of their own, which must get in.
            if (!made.setExecutable(true, false) || !made.setReadable(true, false)) {
                throw new IOException("cannot open " + made + " to others");
            }
            return new DemoNodes(new Sandbox(made.toPath()));
        } catch (IOException e) {
            throw new ApiException.Failed(null, "cannot make a folder for the demo", e.getMessage(), null, e);
        }
    }

    private static boolean emptyFolder(Path dir) throws IOException {
        if (!Files.isDirectory(dir)) {
            return false;
        }
        try (Stream<Path> files = Files.list(dir)) {
            return files.findAny().isEmpty();
        }
    }

    /** Starts two nodes that do not know each other yet. */
    synchronized List<TestNode> start() {
        check();
        begun = true;
        sandbox.start(2, false, step -> {});
        return sandbox.nodes();
    }

    /** Throws when the demo has been cancelled. */
    void check() {
        if (cancelled) {
            throw new TestkitException("cancelled");
        }
    }

    /** Stops the servers and removes the folder; a second time does nothing. */
    synchronized void remove() {
        if (removed) {
            return;
        }
        removed = true;
        if (begun) {
            sandbox.stop(true);
        } else {
            // Only an empty folder of ours can be there.
            sandbox.dir().toFile().delete();
        }
    }

    /** Ctrl-C: removes everything, after the start if that is under way. */
    void cancel(Output out) {
        cancelled = true;
        out.note("\nStopping the servers and removing " + sandbox.dir());
        remove();
    }

    boolean cancelled() {
        return cancelled;
    }

    /** How users stop and remove servers that were kept. */
    String stopCommand() {
        return "steep-repl sandbox stop --delete --dir " + sandbox.dir();
    }

    Path dir() {
        return sandbox.dir();
    }
}
