package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code node status}. */
@Command(
        name = "status",
        description = "What this node knows of one node.",
        footer = "  steep-repl -c service=berlin node status paris")
final class NodeStatusCommand extends NodeAction {
    @Parameters(paramLabel = "NODE_ID", arity = "0..1", description = "Which node. Default: this one.")
    private @Nullable String nodeId;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        Node found = node.nodes().list().stream()
                .filter(n -> nodeId == null ? n.isSelf() : n.nodeId().value().equals(nodeId))
                .findFirst()
                .orElseThrow(this::unknown);
        out.one(NodeColumns.ALL, found);
        return ExitCode.OK;
    }

    private ApiException unknown() {
        return nodeId == null
                ? new ApiException.Failed(
                        null, "this database is not a node", null, "steep-repl node create NODE_ID", null)
                : new ApiException.Failed(
                        null, "node %s is not known here".formatted(nodeId), null, "steep-repl node list --all", null);
    }
}
