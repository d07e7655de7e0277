package io.steeprepl.cli.config;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.config.RangeComparison.Difference;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Gives tables the ranges that the file says. Each asks peers or the worker: they cannot be one transaction. */
record RangeChanges(List<Difference> changes) {
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

    /** Shows them; {@code asking}: also to those who read JSON. */
    void plan(Output out, boolean asking) {
        if (!out.json() && !changes.isEmpty()) {
            out.list(PLAN, changes, "");
        } else if (out.json() && asking) {
            changes.forEach(change ->
                    out.note("%s: from %s to %s".formatted(change.table(), change.database(), change.file())));
        }
    }

    /** Makes them, all that can be; throws when one was refused. */
    void apply(SteepRepl node, ConfigFile file, int strategies) {
        List<String> refused = new ArrayList<>();
        for (Difference change : changes) {
            try {
                node.ranges().set(change.table(), change.change());
            } catch (ApiException.Failed e) {
                refused.add("%s:%d: %s to %s: %s [%s]%s"
                        .formatted(
                                file.path(),
                                change.line(),
                                change.table(),
                                change.file(),
                                e.message(),
                                e.sqlState(),
                                e.hint() == null ? "" : "\n  " + e.hint()));
            }
        }
        if (!refused.isEmpty()) {
            throw new ApiException.Failed(
                    null,
                    "%d of %d changes of ranges were refused".formatted(refused.size(), changes.size()),
                    String.join("\n", refused),
                    "the other changes are made, %d of strategies and %d of ranges; apply the file again"
                            .formatted(strategies, changes.size() - refused.size()),
                    null);
        }
    }

    /** What holds on one node only. */
    void note(Output out) {
        if (changes.stream().anyMatch(change -> change.file().enabled())) {
            out.note("Sizes and thresholds of ranges hold on this node; apply the file on the others, too.");
        }
    }

    List<Map<String, @Nullable Object>> json() {
        return changes.stream().map(change -> Column.object(JSON, change)).toList();
    }
}
