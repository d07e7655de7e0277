package io.steeprepl.cli.range;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.RangeApi.Allocated;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code range allocate}. */
@Command(
        name = "allocate",
        description = {
            "Gives this node its next ids of a table, to be used after those that it has.",
            "That happens by itself when a range is used to the threshold; this is for those who know that many are needed."
        },
        footer = "  steep-repl range allocate shop.orders --size 100000")
final class RangeAllocateCommand extends NodeAction {
    private static final List<Column<Allocated>> COLUMNS =
            List.of(Column.of("range_start", Allocated::rangeStart), Column.of("range_end", Allocated::rangeEnd));

    @Parameters(paramLabel = "TABLE", description = "Its name as SQL writes it.")
    private String table = "";

    @Option(names = "--size", paramLabel = "IDS", description = "How many ids. Default: ${DEFAULT-VALUE}.")
    private long size = 10_000;

    @Override
    protected void check() {
        QualifiedName.parse(table);
        if (size < 1) {
            throw new ApiException.Usage("a range has at least one id, not " + size, "--size 10000");
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        out.list(COLUMNS, node.ranges().allocate(QualifiedName.parse(table), size), "nothing was allocated");
        return ExitCode.OK;
    }
}
