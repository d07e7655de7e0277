package io.steeprepl.cli.node;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code node list}. */
@Command(
        name = "list",
        description = "Every node that this node knows, itself included.",
        footer = "  steep-repl -c service=berlin node list -o json")
final class NodeListCommand extends NodeAction {
    @Option(names = "--all", description = "Removed nodes too.")
    private boolean all;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        var nodes = node.nodes().list().stream()
                .filter(n -> all || !n.status().equals("removed"))
                .toList();
        out.list(NodeColumns.ALL, nodes, "no nodes yet; node create makes this database one");
        return ExitCode.OK;
    }
}
