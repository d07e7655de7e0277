package io.steeprepl.cli.node;

import io.steeprepl.api.CompleteOptions;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.progress.Follower;
import io.steeprepl.direct.connection.ConnectionSpec;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code node complete}. */
@Command(
        name = "complete",
        description = {
            "Makes TARGET, a database that was restored from a physical backup of SOURCE, a node of its own, linked with SOURCE and",
            "every member that SOURCE is linked with, both ways. No row is copied. The backup must have been begun after",
            "node prepare had returned on SOURCE. The same command goes on watching where it was interrupted.",
            "With --remote, TARGET's own daemon is asked; TARGET is then how the others reach its database."
        },
        footer = {
            "  steep-repl node complete postgresql://postgres@oslo/shop --from postgresql://postgres@berlin/shop \\",
            "      --node-id oslo"
        })
final class NodeCompleteCommand extends Action {
    @Parameters(paramLabel = "TARGET", description = "The restored database: a connection, or a node id known at -c.")
    private String target = "";

    @Option(
            names = "--from",
            paramLabel = "SOURCE",
            required = true,
            description = "The node whose backup it was, likewise.")
    private String source = "";

    @Option(names = "--node-id", paramLabel = "ID", required = true, description = "TARGET's node id from now on.")
    private String nodeId = "";

    @Mixin
    private AddressOptions address = new AddressOptions();

    @Option(
            names = "--own-conninfo",
            paramLabel = "CONN",
            description = "How the members' servers reach TARGET. Default: as this program does.")
    private @Nullable String ownConninfo;

    @Option(
            names = "--preparation",
            paramLabel = "UUID",
            description = "Under which the backup was made. Default: the latest in it.")
    private @Nullable String preparation;

    @Override
    protected ExitCode run(Output out) {
        var id = new NodeId(nodeId);
        var names = new NodeNames(word -> connection(word), () -> open(out), this::connection);
        ConnectionSpec to = names.resolve(target);
        String from = names.resolve(source).conninfo();
        ConnectionSpec own = ownConninfo == null ? to : connection(ownConninfo);
        var options = new CompleteOptions(
                id,
                from,
                own.conninfo(),
                address.name,
                address.hostOr(to),
                address.portOr(to),
                address.priority,
                preparation);
        Supplier<SteepRepl> way = () -> hasRemoteOption() ? open(out) : connect(to, out);
        try (SteepRepl node = way.get()) {
            long start = node.start().complete(options);
            out.note("it is node %s; the members are told".formatted(id));
            return new Follower<>(new FollowedStart(start, againAt()), way, out).follow(node);
        }
    }
}
