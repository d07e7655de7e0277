package io.steeprepl.cli.conflict;

import io.steeprepl.api.Conflict;
import io.steeprepl.api.ConflictHistory;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code conflict show}. */
@Command(
        name = "show",
        description = {
            "One conflict: both rows and the one before them side by side, what was decided and why,",
            "and the other conflicts of the same key. Cells that differ are coloured, or marked with a star."
        },
        footer = {"  steep-repl conflict show 42", "  steep-repl conflict show 42 --full --no-color"})
final class ConflictShowCommand extends NodeAction {
    /** Entries of the key's history that people get to see without asking for all. */
    private static final int RECENT = 20;

    private static final List<Column<Conflict>> HISTORY = ConflictColumns.LIST.stream()
            .filter(column -> !List.of("table", "key").contains(column.name()))
            .toList();

    @Parameters(paramLabel = "ID", description = "The number of the conflict on this node, see conflict list.")
    private long id;

    @Option(names = "--full", description = "Long values whole, on several lines; the whole history.")
    private boolean full;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        ConflictHistory shown = node.conflicts().show(id);
        if (out.json()) {
            out.one(document(), shown);
            return ExitCode.OK;
        }
        Explanation.title(shown.entry()).forEach(line -> out.text(line + "\n"));
        new SideBySide(full, out.colour()).lines(shown.entry()).forEach(line -> out.text(line + "\n"));
        out.text("\n");
        Explanation.lines(shown.entry()).forEach(line -> out.text(line + "\n"));
        history(shown.history(), out);
        return ExitCode.OK;
    }

    private void history(List<Conflict> all, Output out) {
        if (all.size() < 2) {
            return;
        }
        List<Conflict> recent = full || all.size() <= RECENT ? all : all.subList(all.size() - RECENT, all.size());
        out.text("\nConflicts of this key: %d%s\n"
                .formatted(all.size(), recent.size() == all.size() ? "" : ", the latest " + RECENT));
        out.list(HISTORY, recent, "");
    }

    private static List<Column<ConflictHistory>> document() {
        List<Column<ConflictHistory>> columns = new ArrayList<>();
        ConflictColumns.ALL.forEach(column ->
                columns.add(Column.of(column.name(), h -> column.value().apply(h.entry()))));
        columns.add(Column.of(
                "history",
                h -> h.history().stream()
                        .map(entry -> Column.object(ConflictColumns.ALL, entry))
                        .toList()));
        return columns;
    }
}
