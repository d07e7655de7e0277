package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder that servers can reach; JUnit's own are closed to other accounts. */
public final class Folder implements AutoCloseable {
    private final Path path;

    /** A new one. */
    public Folder() throws IOException {
        path = Files.createTempDirectory("steep-repl-kit").toRealPath();
        Permissions.readable(path);
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        Permissions.remove(path);
    }
}
