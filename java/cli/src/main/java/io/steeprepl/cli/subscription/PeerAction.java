package io.steeprepl.cli.subscription;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Secrets;
import io.steeprepl.direct.connection.Surroundings;
import java.util.Map;
import picocli.CommandLine.Parameters;

/** A command on the link from one peer. */
abstract class PeerAction extends NodeAction {
    @Parameters(
            paramLabel = "PEER",
            description = "A node id of the registry, a URI, a conninfo string or the name of a service.")
    private String peer = "";

    /** Does it; {@code resolved} is a node id or a conninfo string. Returns what the link is now, as one word. */
    protected abstract String run(SteepRepl node, String resolved);

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        String state = run(node, resolve(node));
        String shown = Secrets.mask(peer);
        out.done("%s: %s".formatted(shown, state), Map.of("peer", shown, "state", state));
        return ExitCode.OK;
    }

    private String resolve(SteepRepl node) {
        if (ConnectionSpec.isConnectionString(peer)) {
            return connection(peer).conninfo();
        }
        boolean known =
                node.nodes().list().stream().anyMatch(n -> n.nodeId().value().equals(peer));
        boolean service = !known && ConnectionSpec.isService(peer, Surroundings.ofProcess());
        return service ? connection(peer).conninfo() : peer;
    }
}
