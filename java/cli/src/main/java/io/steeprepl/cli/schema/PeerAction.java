package io.steeprepl.cli.schema;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.node.NodeNames;
import io.steeprepl.cli.output.Output;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Surroundings;
import org.jspecify.annotations.Nullable;

/** A command that has a node ask another one. */
abstract class PeerAction extends Action {
    /** How the node's server is told the peer: a node id as it is, a connection or service as a connection string. */
    final String peer(String word) {
        boolean connection =
                ConnectionSpec.isConnectionString(word) || ConnectionSpec.isService(word, Surroundings.ofProcess());
        return connection ? connection(word).conninfo() : word;
    }

    /** The node that {@code word} means, by its database; without one the node of the common options. */
    final SteepRepl node(@Nullable String word, Output out) {
        return word == null
                ? open(out)
                : connect(new NodeNames(this::connection, () -> open(out), this::connection).resolve(word), out);
    }
}
