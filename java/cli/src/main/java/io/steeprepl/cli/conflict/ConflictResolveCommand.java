package io.steeprepl.cli.conflict;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.BulkFilter;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.Resolution;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;
import io.steeprepl.config.Durations;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code conflict resolve}. */
@Command(
        name = "resolve",
        description = {
            "Decides a conflict by hand, on all nodes: the row of one side, or another one, is written here with your",
            "own rights and travels to all. With filters instead of a number: all pending conflicts that fit, or none."
        },
        footer = {
            "  steep-repl conflict resolve 42 --local --reason 'the shop is right'",
            "  steep-repl conflict resolve 42 --set status=paid --set note",
            "  steep-repl conflict resolve 42 --merged row.json",
            "  steep-repl conflict resolve --xid 1234567 --origin berlin --remote --dry-run",
            "  steep-repl conflict resolve --table shop.orders --since 2h --local --yes"
        })
final class ConflictResolveCommand extends NodeAction {
    @Parameters(
            arity = "0..1",
            paramLabel = "ID",
            description = "The number of the conflict on this node, see conflict list.")
    private @Nullable Long id;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private Row row = new Row();

    /** Which row is to stand. */
    static final class Row {
        @Option(names = "--local", description = "The row of this node; no row: deleted.")
        private boolean local;

        @Option(names = "--remote", description = "The row of the other node.")
        private boolean remote;

        @Option(
                names = "--merged",
                paramLabel = "FILE",
                description = "The whole row, as a JSON object; - reads standard input.")
        private @Nullable String merged;

        @Option(
                names = "--set",
                paramLabel = "COLUMN=VALUE",
                description = "The row that stands, with this column changed; COLUMN alone: NULL. May be repeated.")
        private @Nullable List<String> set;

        @Option(names = "--edit", description = "The row that stands, as you change it in $VISUAL or $EDITOR.")
        private boolean edit;
    }

    @Option(names = "--xid", paramLabel = "N", description = "All of this transaction of the remote node.")
    private @Nullable Long xid;

    @Option(names = "--origin", paramLabel = "NODE", description = "Only with remote writes of this node.")
    private @Nullable String origin;

    @Option(names = "--table", paramLabel = "TABLE", description = "Only in this table: orders, shop.orders.")
    private @Nullable String table;

    @Option(names = "--since", paramLabel = "DURATION", description = "Only what is newer: 90s, 30m, 12h, 30d, 6w, 2y.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "DURATION", description = "Only what is older.")
    private @Nullable String until;

    @Option(
            names = "--dry-run",
            description = "With filters: does it and takes it back, and says how many it would be.")
    private boolean dryRun;

    @Option(names = "--yes", description = "With filters: does not ask.")
    private boolean yes;

    @Option(names = "--force", description = "Also when the row has changed since.")
    private boolean force;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for those who look at it later.")
    private @Nullable String reason;

    private boolean filtered() {
        return xid != null || origin != null || table != null || since != null || until != null;
    }

    private Resolution.@Nullable Side side() {
        return row.local ? Resolution.Side.LOCAL : row.remote ? Resolution.Side.REMOTE : null;
    }

    @Override
    protected void check() {
        if ((id == null) != filtered()) {
            throw new ApiException.Usage(
                    id == null ? "which conflicts?" : "a number and filters do not go together",
                    "steep-repl conflict resolve 42 --local, or --table shop.orders --local");
        }
        if (id == null && (side() == null || force)) {
            throw new ApiException.Usage(
                    "many conflicts at once are resolved by --local or --remote, and not by force",
                    "name one conflict for another row");
        }
        if (id != null && (dryRun || yes)) {
            throw new ApiException.Usage("--dry-run and --yes are for many conflicts at once", null);
        }
        if (id == null) {
            filter();
        }
    }

    private BulkFilter filter() {
        return new BulkFilter(xid, table == null ? null : QualifiedName.parse(table), ago(since), ago(until), origin);
    }

    private static @Nullable Instant ago(@Nullable String duration) {
        return duration == null ? null : Instant.now().minus(Durations.parse(duration));
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        if (id == null) {
            return all(node, Objects.requireNonNull(side()), out);
        }
        long number = id;
        Resolution.Side side = side();
        String merged = side == null ? merged(node, number) : null;
        if (side == null && merged == null) {
            out.note("The row was left as it is: nothing has been changed.");
            return ExitCode.CANCELLED;
        }
        Resolution wanted = new Resolution(side == null ? Resolution.Side.MERGED : side, merged, force, reason);
        node.conflicts().resolve(number, wanted);
        String outcome =
                String.valueOf(node.conflicts().show(number).entry().decision().resolution());
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("id", number);
        done.put("resolution", outcome);
        out.done(
                outcome.equals("PENDING")
                        ? "The change of conflict %d is tried once more; conflict show %d tells what came of it."
                                .formatted(number, number)
                        : "Conflict %d is %s, on all nodes.".formatted(number, outcome),
                done);
        return ExitCode.OK;
    }

    private @Nullable String merged(SteepRepl node, long number) {
        if (row.merged != null) {
            return MergedRow.file(row.merged);
        }
        var conflict = node.conflicts().show(number).entry();
        return row.edit
                ? MergedRow.edit(conflict, System.getenv())
                : MergedRow.set(conflict, Objects.requireNonNull(row.set));
    }

    private ExitCode all(SteepRepl node, Resolution.Side side, Output out) {
        BulkFilter filter = filter();
        if (!dryRun && !yes && !confirmed(node, filter, side)) {
            out.note("Nothing has been changed.");
            return ExitCode.CANCELLED;
        }
        int count = node.conflicts().resolveAll(filter, side, reason, dryRun);
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("resolved", count);
        done.put("resolution", side.name());
        done.put("dry_run", dryRun);
        out.done(
                "%d conflicts %s resolved as %s."
                        .formatted(
                                count, dryRun ? "would be" : "are", side.name().toLowerCase(Locale.ROOT)),
                done);
        return ExitCode.OK;
    }

    private boolean confirmed(SteepRepl node, BulkFilter filter, Resolution.Side side) {
        if (!Terminal.interactive()) {
            throw new ApiException.Usage(
                    "there is nobody to ask whether to resolve all of them", "add --yes, or --dry-run to see how many");
        }
        int count = node.conflicts().resolveAll(filter, side, reason, true);
        return Terminal.ask("Resolve %d conflicts as %s? [y/N] "
                        .formatted(count, side.name().toLowerCase(Locale.ROOT)))
                .filter(answer -> answer.strip().toLowerCase(Locale.ROOT).startsWith("y"))
                .isPresent();
    }
}
