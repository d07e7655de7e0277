package io.steeprepl.cli.table;

import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code table list}. */
@Command(
        name = "list",
        description = "Every replicated table: how conflicts are decided, whether it is ready, and why not.",
        footer = "  steep-repl table list -o json")
final class TableListCommand extends NodeAction {
    private static final List<Column<ReplicatedTable>> COLUMNS = List.of(
            Column.of("table_schema", ReplicatedTable::tableSchema),
            Column.of("table_name", ReplicatedTable::tableName),
            Column.of("strategy", ReplicatedTable::strategy),
            Column.of("before_images", ReplicatedTable::beforeImages),
            Column.of("state", ReplicatedTable::state),
            Column.of("rows_not_taken", ReplicatedTable::rowsNotTaken),
            Column.of("reason", ReplicatedTable::reason));

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        out.list(COLUMNS, node.tables().list(), "no table is replicated; table add makes one so");
        return ExitCode.OK;
    }
}
