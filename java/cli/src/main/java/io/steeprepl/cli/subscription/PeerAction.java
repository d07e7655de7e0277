package io.steeprepl.cli.subscription;

import io.steeprepl.api.Node;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.HostPort;
import io.steeprepl.direct.connection.Secrets;
import io.steeprepl.direct.connection.Surroundings;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/** A command on the link from one peer. */
abstract class PeerAction extends NodeAction {
    @Parameters(
            paramLabel = "PEER",
            description = "A node id of the registry, a URI, a conninfo string or the name of a service.")
    private String peer = "";

    /**
     * The peer as the server knows it.
     *
     * @param name its node id, or a conninfo string where that is not known
     * @param conninfo how to reach it, null where the registry says that
     */
    record Peer(String name, @Nullable String conninfo) {}

    /** Does it. Returns what the link is now, as one word. */
    protected abstract String run(SteepRepl node, Peer resolved);

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        String state = run(node, resolve(node.nodes().list()));
        String shown = Secrets.mask(peer);
        out.done("%s: %s".formatted(shown, state), Map.of("peer", shown, "state", state));
        return ExitCode.OK;
    }

    private Peer resolve(List<Node> registry) {
        boolean known = registry.stream().anyMatch(n -> n.nodeId().value().equals(peer));
        boolean connection = !known
                && (ConnectionSpec.isConnectionString(peer)
                        || ConnectionSpec.isService(peer, Surroundings.ofProcess()));
        if (!connection) {
            return new Peer(peer, null);
        }
        ConnectionSpec spec = connection(peer);
        String name = registry.stream()
                .filter(n -> spec.hosts().contains(new HostPort(n.host(), n.host(), n.port())))
                .filter(n -> n.dbname().equals(spec.dbname()) && !n.status().equals("removed"))
                .map(n -> n.nodeId().value())
                .findFirst()
                .orElseGet(spec::conninfo);
        return new Peer(name, spec.conninfo());
    }
}
