package io.steeprepl.cli.config;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.ConflictStrategy;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.StrategyRefusal;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.config.Comparison.Difference;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code config apply}. */
@Command(
        name = "apply",
        description = {
            "Gives the tables the strategies that the file says, on all nodes: all of them in one transaction, or none.",
            "Then their ranges of ids, one by one: whether they have any on all nodes, sizes and thresholds on this one.",
            "Says first what it would change, and asks. Where nothing differs it does nothing."
        },
        footer = {
            "  steep-repl -c service=shop config apply --dry-run",
            "  steep-repl -c service=shop --config shop.yaml config apply --yes"
        })
final class ConfigApplyCommand extends ConfigAction {
    private static final String INSUFFICIENT_PRIVILEGE = "42501";
    private static final String NOT_REPLICATED = "SR043";

    private static final List<Column<Difference>> PLAN = List.of(
            Column.of("table", Difference::table),
            Column.of("line", Difference::line),
            Column.of("from", Difference::database),
            Column.of("to", Difference::file));

    private static final List<Column<Difference>> JSON = List.of(
            Column.of("table_schema", difference -> difference.table().schema()),
            Column.of("table_name", difference -> difference.table().name()),
            Column.of("line", Difference::line),
            Column.of("from", difference -> difference.database().json()),
            Column.of("to", difference -> difference.file().json()));

    @Option(
            names = "--dry-run",
            description = {
                "Changes nothing. Strategies are set and taken back, so that it also shows what the server would refuse;",
                "changes of ranges are only shown."
            })
    private boolean dryRun;

    @Option(names = "--yes", description = "Does not ask.")
    private boolean yes;

    @Override
    protected ExitCode run(SteepRepl node, ConfigFile file, Comparison comparison, Output out) {
        List<Difference> changes = comparison.differences();
        if (comparison.same()) {
            out.done(
                    "Nothing to do; as the file says: %s.".formatted(tables(comparison.equal())),
                    document(file, comparison));
            return ExitCode.OK;
        }
        int count = (int) Stream.concat(
                        changes.stream().map(Difference::table),
                        comparison.ranges().stream().map(RangeComparison.Difference::table))
                .distinct()
                .count();
        plan(changes, out);
        RangeChanges ranges = new RangeChanges(comparison.ranges());
        ranges.plan(out, !yes && !dryRun);
        if (!dryRun && !yes && !confirmed(count)) {
            out.note("Nothing has been changed.");
            return ExitCode.CANCELLED;
        }
        List<StrategyRefusal> refused = changes.isEmpty()
                ? List.of()
                : node.conflicts()
                        .setStrategies(changes.stream().map(Difference::change).toList(), dryRun);
        if (!refused.isEmpty()) {
            throw refusal(file, changes, refused);
        }
        if (!dryRun) {
            ranges.apply(node, file, changes.size());
        }
        String are = dryRun ? "would be" : count == 1 ? "is" : "are";
        String where = comparison.ranges().isEmpty() ? ", on all nodes" : "";
        out.done("%s %s changed%s.".formatted(tables(count), are, where), document(file, comparison));
        ranges.note(out);
        warn(node, changes, out);
        return ExitCode.OK;
    }

    private void plan(List<Difference> changes, Output out) {
        if (!out.json() && !changes.isEmpty()) {
            out.list(PLAN, changes, "");
        } else if (!out.json()) {
            return;
        } else if (!yes && !dryRun) {
            changes.forEach(change ->
                    out.note("%s: from %s to %s".formatted(change.table(), change.database(), change.file())));
        }
    }

    private static boolean confirmed(int count) {
        if (!Terminal.interactive()) {
            throw new ApiException.Usage(
                    "there is nobody to ask whether to change " + tables(count),
                    "nothing has been changed; add --yes, or --dry-run to see what the server says to it");
        }
        return Terminal.ask("Change %s? [y/N] ".formatted(tables(count)))
                .filter(answer -> answer.strip().toLowerCase(Locale.ROOT).startsWith("y"))
                .isPresent();
    }

    private static String tables(int count) {
        return count == 1 ? "1 table" : count + " tables";
    }

    private static ApiException refusal(ConfigFile file, List<Difference> changes, List<StrategyRefusal> refused) {
        String detail = refused.stream().map(one -> line(file, changes, one)).collect(Collectors.joining("\n"));
        boolean rights = refused.stream()
                .anyMatch(one -> INSUFFICIENT_PRIVILEGE.equals(one.error().sqlState()));
        return new ApiException.Failed(
                null,
                "%d of %d changes were refused".formatted(refused.size(), changes.size()),
                detail,
                (rights ? "a strategy is set by members of steep_repl_admin who own the table; " : "")
                        + "nothing has been changed",
                null);
    }

    private static String line(ConfigFile file, List<Difference> changes, StrategyRefusal refusal) {
        Difference change = changes.stream()
                .filter(one -> one.table().equals(refusal.table()))
                .findFirst()
                .orElseThrow();
        ApiException.Failed error = refusal.error();
        return "%s:%d: %s to %s: %s [%s]%s"
                .formatted(
                        file.path(),
                        change.line(),
                        change.table(),
                        change.file(),
                        error.message(),
                        error.sqlState(),
                        NOT_REPLICATED.equals(error.sqlState())
                                ? "\n  its state is %s; apply the file again once it is ready".formatted(change.state())
                                : error.hint() == null ? "" : "\n  " + error.hint());
    }

    private static void warn(SteepRepl node, List<Difference> changes, Output out) {
        Set<String> diverging = node.conflicts().strategies().stream()
                .filter(strategy -> !strategy.converges())
                .map(ConflictStrategy::name)
                .collect(Collectors.toSet());
        changes.stream()
                .filter(change -> diverging.contains(change.file().options().strategy()))
                .forEach(change -> out.note("After a conflict under %s the nodes differ in that row of %s%s."
                        .formatted(
                                change.file().options().strategy(),
                                change.table(),
                                change.file().options().strategy().equals("manual") ? " until somebody decides" : "")));
    }

    private Map<String, @Nullable Object> document(ConfigFile file, Comparison comparison) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("path", file.path().toString());
        document.put("dry_run", dryRun);
        document.put(
                "changed",
                comparison.differences().stream()
                        .map(difference -> Column.object(JSON, difference))
                        .toList());
        document.put("ranges_changed", new RangeChanges(comparison.ranges()).json());
        document.put("equal", comparison.equal());
        return document;
    }
}
