package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Surroundings;
import java.util.function.Function;
import java.util.function.Supplier;

/** Finds how to connect to what a user calls a node: a connection, a service, or a node id that a registry knows. */
public record NodeNames(
        Function<String, ConnectionSpec> parse, Supplier<SteepRepl> registry, Supplier<ConnectionSpec> registrySpec) {

    /** The connection that {@code word} means; a node of the registry is reached as the registry itself is. */
    public ConnectionSpec resolve(String word) {
        if (ConnectionSpec.isConnectionString(word) || ConnectionSpec.isService(word, Surroundings.ofProcess())) {
            return parse.apply(word);
        }
        try (SteepRepl known = registry.get()) {
            Node node = known.nodes().list().stream()
                    .filter(n -> n.nodeId().value().equals(word))
                    .findFirst()
                    .orElseThrow(() -> unknown(word));
            return registrySpec.get().at(node.host(), node.port(), node.dbname());
        } catch (ApiException.CannotConnect e) {
            throw new ApiException.Usage(
                    "\"%s\" is neither a URI, nor a conninfo string, nor a service".formatted(word),
                    "to use node ids, say with -c which node's registry knows them: " + e.message());
        }
    }

    private static ApiException unknown(String word) {
        return new ApiException.Usage(
                "\"%s\" is neither a connection nor a node that the registry knows".formatted(word),
                "steep-repl node list shows the nodes; a connection is a URI, a conninfo string or a service");
    }
}
