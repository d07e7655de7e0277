package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.StartOptions;
import io.steeprepl.api.StartProblem;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.progress.Follower;
import io.steeprepl.direct.connection.ConnectionSpec;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code node start}. */
@Command(
        name = "start",
        description = {
            "Fills TARGET's tables from SOURCE and links it with every member that SOURCE is linked with, both ways.",
            "The server does the work: Ctrl-C on a terminal asks whether to leave it to it, or to cancel it, and elsewhere leaves it to",
            "it. The same command goes on watching, and after a start that was cancelled it goes on from there.",
            "--method snapshot fills them from a snapshot that was taken on SOURCE with node prepare and snapshot generate,",
            "and that TARGET's server can read: the copying is done by then, and SOURCE has nothing more to do with it.",
            "With --remote, TARGET's own daemon is asked; TARGET is then how the others reach its database."
        },
        footer = {
            "  steep-repl node start postgresql://postgres@paris/shop --from postgresql://postgres@berlin/shop \\",
            "      --node-id paris",
            "  steep-repl node start postgresql://postgres@paris/shop --from postgresql://postgres@berlin/shop \\",
            "      --method snapshot --path /backup/shop --parallel 8"
        })
final class NodeStartCommand extends Action {
    private static final List<Column<StartProblem>> PROBLEMS =
            List.of(Column.of("problem", StartProblem::problem), Column.of("remedy", StartProblem::remedy));

    @Parameters(paramLabel = "TARGET", description = "The node to start: a connection, or a node id known at -c.")
    private String target = "";

    @Option(names = "--from", paramLabel = "SOURCE", required = true, description = "The node to copy from, likewise.")
    private String source = "";

    @Option(names = "--node-id", paramLabel = "ID", description = "TARGET's node id, where it is not a node yet.")
    private @Nullable String nodeId;

    @Option(
            names = "--own-conninfo",
            paramLabel = "CONN",
            description = "How the members' servers reach TARGET. Default: as this program does.")
    private @Nullable String ownConninfo;

    @Option(names = "--method", paramLabel = "NAME", description = "direct (default) or snapshot.")
    private @Nullable String method;

    @Option(
            names = "--path",
            paramLabel = "PATH",
            description = "With --method snapshot: its folder, an absolute path on TARGET's server.")
    private @Nullable String path;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "With --method snapshot: how many streams load it, 1 to 16. Default: 4.")
    private @Nullable Integer parallel;

    @Override
    protected ExitCode run(Output out) {
        var names = new NodeNames(word -> connection(word), () -> open(out), this::connection);
        ConnectionSpec to = names.resolve(target);
        String from = names.resolve(source).conninfo();
        ConnectionSpec own = ownConninfo == null ? to : connection(ownConninfo);
        var options = new StartOptions(from, own.conninfo(), method, path, parallel);
        Supplier<SteepRepl> way = () -> hasRemoteOption() ? open(out) : connect(to, out);
        try (SteepRepl node = way.get()) {
            new NewNode(node, own, out).ensure(nodeId);
            // Work that goes on is watched, not checked: what it has copied already would be a problem.
            boolean running = node.start().running().isPresent();
            List<StartProblem> problems = running ? List.of() : node.start().check(options);
            if (!problems.isEmpty()) {
                out.list(PROBLEMS, problems, "");
                throw new ApiException.Failed(
                        null,
                        "the node cannot be started yet: " + problems.size()
                                + (problems.size() == 1 ? " problem" : " problems"),
                        null,
                        null,
                        null);
            }
            if (!running) {
                new SourceSchema(node, out).compare(from);
            }
            long id = node.start().start(options);
            return new Follower<>(new FollowedStart(id, againAt()), way, out).follow(node);
        }
    }
}
