package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.NodeEntry;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.output.Output;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.HostPort;
import org.jspecify.annotations.Nullable;

/** Makes the database a node where it is none yet. */
record NewNode(SteepRepl node, ConnectionSpec own, Output out) {
    /** {@code nodeId} may be null where the database is a node already. Throws {@link ApiException}. */
    void ensure(@Nullable String nodeId) {
        boolean extension = node.nodes().extensionVersion().isPresent();
        NodeId self = extension ? node.nodes().self().orElse(null) : null;
        if (self != null) {
            if (nodeId != null && !self.value().equals(nodeId)) {
                throw new ApiException.Usage(
                        "TARGET is node %s already, not %s".formatted(self, nodeId), "leave --node-id out");
            }
            return;
        }
        if (nodeId == null) {
            throw new ApiException.Usage(
                    "TARGET is not a node yet, and needs a node id",
                    "add --node-id ID, unique among all that are linked");
        }
        if (!extension) {
            node.nodes().createExtension();
            out.note("created the extension steep_repl");
        }
        HostPort address = own.hosts().getFirst();
        String host = address.isSocket() ? null : address.host();
        node.nodes()
                .create(new NodeEntry(
                        new NodeId(nodeId), null, host, host == null ? null : address.port(), null, null, null));
        out.note("made %s node %s".formatted(own, nodeId));
    }
}
