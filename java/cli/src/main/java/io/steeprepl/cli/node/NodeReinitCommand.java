package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReinitApi.Choice;
import io.steeprepl.api.ReinitPlan;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;
import io.steeprepl.cli.progress.Follower;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code node reinit}. */
@Command(
        name = "reinit",
        description = {
            "Throws away the rows that NODE holds of replicated tables, and takes the tables anew from PEER. No other node",
            "loses a row; what NODE wrote is waited for, until PEER has it. Says first how many rows that are, and asks.",
            "The server does the work: Ctrl-C on a terminal asks whether to leave it to it, or to cancel it, and elsewhere leaves it to",
            "it; the same command goes on watching, and node cancel ends it. Until a table is there again, it takes no writes on NODE.",
            "For owners of the tables."
        },
        footer = {
            "  steep-repl -c service=paris node reinit --from berlin --table shop.orders",
            "  steep-repl -c service=berlin node reinit paris --from berlin --schema shop --yes"
        })
final class NodeReinitCommand extends Action {
    private static final List<Column<ReinitPlan.Problem>> PROBLEMS = List.of(
            Column.of("table", ReinitPlan.Problem::table),
            Column.of("problem", ReinitPlan.Problem::problem),
            Column.of("remedy", ReinitPlan.Problem::remedy));

    @Parameters(
            paramLabel = "NODE",
            arity = "0..1",
            description =
                    "Whose rows are thrown away: a connection, or a node id known at -c. Default: the node at -c.")
    private @Nullable String target;

    @Option(
            names = "--from",
            paramLabel = "PEER",
            required = true,
            description = "The node to take them from: a node id, or a connection as NODE's server makes it.")
    private String source = "";

    @ArgGroup
    private @Nullable Which which;

    /** Some of the tables; all when not given. */
    static final class Which {
        @Option(
                names = "--schema",
                paramLabel = "SCHEMA",
                description = "The tables of this schema. Default: all that replicate.")
        private @Nullable String schema;

        @Option(
                names = "--table",
                paramLabel = "TABLE",
                description = "This table: orders, shop.orders. May be repeated.")
        private @Nullable List<String> tables;
    }

    @Option(names = "--yes", description = "Does not ask.")
    private boolean yes;

    @Override
    protected ExitCode run(Output out) {
        Choice choice = choice();
        Supplier<SteepRepl> way = way(out);
        try (SteepRepl node = way.get()) {
            // One that goes on is watched: there is nothing left to ask about.
            if (node.reinit().running().isEmpty() && !confirmed(node, choice, out)) {
                out.note("Nothing has been changed.");
                return ExitCode.CANCELLED;
            }
            long id = node.reinit().start(source, choice);
            return new Follower<>(new FollowedReinit(id, againAt()), way, out).follow(node);
        }
    }

    private Choice choice() {
        List<String> tables = which == null || which.tables == null ? List.of() : which.tables;
        return new Choice(tables.stream().map(QualifiedName::parse).toList(), which == null ? null : which.schema);
    }

    private Supplier<SteepRepl> way(Output out) {
        if (target == null) {
            return () -> open(out);
        }
        if (hasRemoteOption()) {
            throw new ApiException.Usage(
                    "with --remote, the tables of the node beside that daemon are thrown away", "leave NODE out");
        }
        var to = new NodeNames(word -> connection(word), () -> open(out), this::connection).resolve(target);
        return () -> connect(to, out);
    }

    private boolean confirmed(SteepRepl node, Choice choice, Output out) {
        ReinitPlan plan = node.reinit().check(source, choice);
        if (!plan.problems().isEmpty()) {
            out.list(PROBLEMS, plan.problems(), "");
            throw new ApiException.Failed(
                    null,
                    "the tables cannot be taken anew: " + plan.problems().size()
                            + (plan.problems().size() == 1 ? " problem" : " problems"),
                    null,
                    null,
                    null);
        }
        long rows = plan.tables().stream().mapToLong(ReinitPlan.Loss::rows).sum();
        String self = node.nodes().self().map(NodeId::value).orElse("");
        String loss = String.format(
                Locale.ROOT,
                "%,d %s of %s on node %s",
                rows,
                rows == 1 ? "row" : "rows",
                plan.tables().size() == 1
                        ? "table " + plan.tables().getFirst().table()
                        : plan.tables().size() + " tables",
                self);
        if (yes) {
            out.note("%s %s thrown away, and taken anew from %s".formatted(loss, rows == 1 ? "is" : "are", source));
            return true;
        }
        if (!Terminal.interactive()) {
            throw new ApiException.Usage("there is nobody to ask whether to throw away " + loss, "add --yes");
        }
        return Terminal.ask("Throw away %s, and take them anew from %s? [y/N] ".formatted(loss, source))
                .filter(answer -> answer.strip().toLowerCase(Locale.ROOT).startsWith("y"))
                .isPresent();
    }
}
