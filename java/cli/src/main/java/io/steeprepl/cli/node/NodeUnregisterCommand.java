package io.steeprepl.cli.node;

import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code node unregister}. */
@Command(
        name = "unregister",
        description =
                "Takes a node out of the registry: one that is gone for good. Its slot is freed, its history stays.",
        footer = "  steep-repl -c service=berlin node unregister paris")
final class NodeUnregisterCommand extends NodeAction {
    @Parameters(paramLabel = "NODE_ID", description = "The peer's node id.")
    private String nodeId = "";

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        out.one(NodeColumns.ALL, node.nodes().unregister(new NodeId(nodeId)));
        return ExitCode.OK;
    }
}
