package io.steeprepl.cli.node;

import picocli.CommandLine.Command;

/** {@code node}. */
@Command(
        name = "node",
        description = "The nodes that a node knows, and filling new nodes from another one.",
        footer = "  steep-repl -c service=berlin node list",
        subcommands = {
            NodeCreateCommand.class,
            NodeRegisterCommand.class,
            NodeUnregisterCommand.class,
            NodeListCommand.class,
            NodeStatusCommand.class,
            NodeStartCommand.class,
            NodeCompleteCommand.class,
            NodePrepareCommand.class,
            NodeProgressCommand.class,
            NodeCancelCommand.class,
            NodeReinitCommand.class
        })
public final class NodeCommand {}
