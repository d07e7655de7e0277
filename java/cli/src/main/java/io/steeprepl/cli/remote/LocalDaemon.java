package io.steeprepl.cli.remote;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.Launch;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.remote.RemoteSteepRepl;
import io.steeprepl.remote.ipc.IpcTransport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The daemon of this machine, by its socket.
 *
 * @param spec the database that the environment means, which cannot do it
 */
public record LocalDaemon(ConfigPath config, ConnectionSpec spec, Duration timeout) {
    private static final List<String> NAMING = List.of("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE");

    /** Whether there seems to be one. */
    public boolean exists() {
        return !sockets().isEmpty();
    }

    private List<Path> sockets() {
        return new Launch(config, Launch.DEFAULT_NAME, null, Surroundings.ofProcess()).sockets();
    }

    /** The node behind it, empty when it cannot help; {@code told} is told which one answers, or why none does. */
    public Optional<SteepRepl> open(Consumer<String> told) {
        List<Path> sockets = sockets();
        if (sockets.size() != 1) {
            told.accept(
                    "%d daemons of this account run here, and none is asked instead. To ask one: --remote SOCKET, of %s"
                            .formatted(
                                    sockets.size(),
                                    sockets.stream().map(Path::toString).collect(Collectors.joining(", "))));
            return Optional.empty();
        }
        return open(sockets.getFirst(), told);
    }

    private Optional<SteepRepl> open(Path socket, Consumer<String> told) {
        try {
            SteepRepl node = new RemoteSteepRepl(IpcTransport.connect(socket, timeout));
            Optional<Node> self = self(node);
            if (self.isEmpty() || !meant(self.get())) {
                node.close();
                told.accept("the daemon at %s is not asked instead: its database is %s. To ask it: --remote %s"
                        .formatted(socket, self.map(LocalDaemon::database).orElse("no node"), socket));
                return Optional.empty();
            }
            told.accept(
                    "the daemon of node %s answers instead".formatted(self.get().nodeId()));
            return Optional.of(node);
        } catch (ApiException e) {
            told.accept("nor does a daemon answer: " + e.message());
            return Optional.empty();
        }
    }

    private static Optional<Node> self(SteepRepl node) {
        try {
            return node.nodes().list().stream().filter(Node::isSelf).findFirst();
        } catch (ApiException e) {
            node.close();
            throw e;
        }
    }

    /** Who names a database in the environment means that one and no other. */
    private boolean meant(Node self) {
        Surroundings around = Surroundings.ofProcess();
        boolean named = NAMING.stream()
                .anyMatch(name -> !around.variables().getOrDefault(name, "").isEmpty());
        return !named
                || (spec.dbname().equals(self.dbname())
                        && spec.hosts().stream().anyMatch(host -> host.port() == self.port()));
    }

    private static String database(Node self) {
        return "%s:%d/%s".formatted(self.host(), self.port(), self.dbname());
    }
}
