package io.steeprepl.cli.node;

import io.steeprepl.api.Preparation;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.Durations;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code node prepare}. */
@Command(
        name = "prepare",
        description = {
            "Prepares for nodes that will be filled from a snapshot, or a physical backup, of this one: this node, and all that it",
            "receives from, keep their streams from now on. Until it expires that keeps WAL on all of them; node progress shows how much."
        },
        footer = {
            "  steep-repl -c service=berlin node prepare",
            "  steep-repl -c service=berlin node prepare --expires 12h"
        })
final class NodePrepareCommand extends NodeAction {
    @Option(
            names = "--expires",
            paramLabel = "DURATION",
            description = "For how long, at most 30d: 90m, 12h, 2d. Default: 1d.")
    private @Nullable String expires;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        Preparation made = node.start().prepare(expires == null ? null : Durations.parse(expires));
        out.one(PreparationColumns.ALL, made);
        out.note("Next, before %s:".formatted(made.expiresAt()));
        out.note("  on this node:  steep-repl snapshot generate PATH --preparation " + made.id());
        out.note("  then bring PATH to each new node's server, and:");
        out.note("                 steep-repl node start TARGET --from %s --method snapshot --path PATH"
                .formatted(made.source()));
        out.note(
                "  or make a backup of this server that begins now (pg_basebackup), restore it as another server, and:");
        out.note("                 steep-repl node complete TARGET --from %s --node-id ID".formatted(made.source()));
        out.note("  to end it:     steep-repl node cancel " + made.id());
        return ExitCode.OK;
    }
}
