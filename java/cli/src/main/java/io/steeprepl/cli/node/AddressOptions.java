package io.steeprepl.cli.node;

import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.HostPort;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a node is called and reached. */
final class AddressOptions {
    @Option(names = "--name", paramLabel = "NAME", description = "A name for people. Default: the node id.")
    @Nullable
    String name;

    @Option(names = "--host", paramLabel = "HOST", description = "Where peers reach it. Default: from the connection.")
    @Nullable
    String host;

    @Option(names = "--port", paramLabel = "PORT", description = "Its port. Default: from the connection.")
    @Nullable
    Integer port;

    @Option(names = "--priority", paramLabel = "N", description = "0 to 1000, higher is preferred as coordinator.")
    @Nullable
    Integer priority;

    /** The host, or that of a connection; null where that is a socket, which says nothing to peers. */
    @Nullable
    String hostOr(@Nullable ConnectionSpec connection) {
        HostPort first = connection == null ? null : connection.hosts().getFirst();
        return host != null || first == null || first.isSocket() ? host : first.host();
    }

    /** The port, or that of a connection; null where that is a socket. */
    @Nullable
    Integer portOr(@Nullable ConnectionSpec connection) {
        HostPort first = connection == null ? null : connection.hosts().getFirst();
        return port != null || first == null || first.isSocket() ? port : Integer.valueOf(first.port());
    }
}
