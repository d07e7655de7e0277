package io.steeprepl.cli.conflict;

import io.steeprepl.api.ConflictFilter;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.Durations;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code conflict list}. */
@Command(
        name = "list",
        description = "The latest conflicts, newest first. An empty CONVERGED AT: not yet proven on all nodes.",
        footer = {
            "  steep-repl conflict list --table shop.orders --since 12h",
            "  steep-repl conflict list --resolution pending --limit 20",
            "  steep-repl conflict list --kind update-delete --peer berlin --unproven -o json"
        })
final class ConflictListCommand extends NodeAction {
    @Option(names = "--table", paramLabel = "TABLE", description = "Only in this table: orders, shop.orders.")
    private @Nullable String table;

    @Option(
            names = "--kind",
            paramLabel = "KIND",
            description = "Only of this kind: insert-insert, update-update, update-delete, delete-insert, key-update,"
                    + " unique, truncate-write, apply-error, fk-orphan.")
    private @Nullable String kind;

    @Option(names = "--peer", paramLabel = "NODE", description = "Only with writes that came from this node.")
    private @Nullable String peer;

    @Option(
            names = "--resolution",
            paramLabel = "WHAT",
            description = "Only with this outcome: pending, applied_remote, kept_local, merged, reverted.")
    private @Nullable String resolution;

    @Option(names = "--unproven", description = "Only those of which it is not yet known that all nodes agree.")
    private boolean unproven;

    @Option(names = "--since", paramLabel = "DURATION", description = "Only what is newer: 90s, 30m, 12h, 30d, 6w, 2y.")
    private @Nullable String since;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many. Default: ${DEFAULT-VALUE}.")
    private int limit = 50;

    @Override
    protected void check() {
        filter();
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        var columns = out.json() ? ConflictColumns.ALL : ConflictColumns.LIST;
        out.list(columns, node.conflicts().list(filter()), "no conflicts");
        return ExitCode.OK;
    }

    private ConflictFilter filter() {
        return new ConflictFilter(
                table == null ? null : QualifiedName.parse(table),
                kind,
                peer,
                resolution,
                unproven,
                since == null ? null : Durations.parse(since),
                Math.max(0, limit));
    }
}
