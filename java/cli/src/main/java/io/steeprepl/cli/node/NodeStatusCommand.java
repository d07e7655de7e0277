package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.NodeId;
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
        NodeId which = nodeId == null ? self(node) : new NodeId(nodeId);
        out.one(NodeColumns.ALL, node.nodes().get(which));
        return ExitCode.OK;
    }

    private static NodeId self(SteepRepl node) {
        return node.nodes()
                .self()
                .orElseThrow(() -> new ApiException.Failed(
                        null, "this database is not a node", null, "steep-repl node create NODE_ID", null));
    }
}
