package io.steeprepl.it;

import io.steeprepl.testkit.Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder for servers that others may enter; closing ends the servers and removes it. */
public final class Folder implements AutoCloseable {
    private final Path path;
    private final List<Server> servers = new ArrayList<>();

    public Folder() throws IOException {
        path = Files.createTempDirectory("steep-repl-it");
        if (!path.toFile().setReadable(true, false) || !path.toFile().setExecutable(true, false)) {
            throw new IOException("cannot open " + path + " to others");
        }
    }

    public Path resolve(String name) {
        return path.resolve(name);
    }

    /** Remembers a server, to be ended. */
    public Server keep(Server server) {
        servers.add(server);
        return server;
    }

    @Override
    public void close() throws IOException {
        servers.forEach(Server::kill9);
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
