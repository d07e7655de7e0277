package io.steeprepl.cli.node;

import io.steeprepl.api.NodeEntry;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code node create}. */
@Command(
        name = "create",
        description = "Makes this database a node, with the extension if it is not there yet.",
        footer = "  steep-repl -c postgresql://postgres@berlin.example/shop node create berlin")
final class NodeCreateCommand extends NodeAction {
    @Parameters(
            paramLabel = "NODE_ID",
            description = "What the node is to be called; unique among all that are linked.")
    private String nodeId = "";

    @Mixin
    private AddressOptions address = new AddressOptions();

    @Override
    protected boolean needsExtension() {
        return false;
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        var id = new NodeId(nodeId);
        if (node.nodes().extensionVersion().isEmpty()) {
            node.nodes().createExtension();
            out.note("created the extension steep_repl");
        }
        // Where a daemon is asked, its database is not this program's to name.
        var spec = hasRemoteOption() ? null : connection();
        var entry = new NodeEntry(
                id, address.name, address.hostOr(spec), address.portOr(spec), address.priority, null, null);
        out.one(NodeColumns.ALL, node.nodes().create(entry));
        for (var problem : node.nodes().checkSettings(1)) {
            out.warn("postgresql.conf: %s = %s  # %s".formatted(problem.name(), problem.wanted(), problem.problem()));
        }
        return ExitCode.OK;
    }
}
