package io.steeprepl.cli.node;

import io.steeprepl.api.NodeEntry;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.direct.connection.ConnectionSpec;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code node register}. */
@Command(
        name = "register",
        description = "Registers a peer with this node, or changes its entry.",
        footer = "  steep-repl -c service=berlin node register paris --conninfo \"host=paris dbname=shop\"")
final class NodeRegisterCommand extends NodeAction {
    @Parameters(paramLabel = "NODE_ID", description = "The peer's node id.")
    private String nodeId = "";

    @Mixin
    private AddressOptions address = new AddressOptions();

    @Option(names = "--dbname", paramLabel = "NAME", description = "Its database. Default: called as this one.")
    private @Nullable String dbname;

    @Option(
            names = "--conninfo",
            paramLabel = "CONN",
            description =
                    "How this server connects to it, as URI, conninfo string or service; gives host, port and dbname.")
    private @Nullable String conninfo;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        ConnectionSpec spec = conninfo == null ? null : connection(conninfo);
        String database = dbname != null || spec == null ? dbname : spec.dbname();
        var entry = new NodeEntry(
                new NodeId(nodeId),
                address.name,
                address.hostOr(spec),
                address.portOr(spec),
                address.priority,
                database,
                spec == null ? null : spec.conninfo());
        out.one(NodeColumns.ALL, node.nodes().register(entry));
        return ExitCode.OK;
    }
}
