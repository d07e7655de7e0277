package io.steeprepl.cli.snapshot;

import io.steeprepl.api.Snapshot;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code snapshot list}. */
@Command(
        name = "list",
        description = {
            "The snapshots that this node wrote and that were not deleted. One that is missing is no longer where it"
                    + " was."
        },
        footer = {"  steep-repl snapshot list", "  steep-repl snapshot list -o json"})
final class SnapshotListCommand extends NodeAction {
    private static final List<Column<Snapshot>> JSON = List.of(
            Column.of("id", Snapshot::id),
            Column.of("path", Snapshot::path),
            Column.of("state", Snapshot::state),
            Column.of("created_at", Snapshot::createdAt),
            Column.of("lsn", Snapshot::lsn),
            Column.of("slot_name", Snapshot::slotName),
            Column.of("compression", Snapshot::compression),
            Column.of("tables", Snapshot::tables),
            Column.of("rows", Snapshot::rows),
            Column.of("bytes", Snapshot::bytes));

    private static final List<Column<Snapshot>> TEXT = List.of(
            Column.of("id", Snapshot::id),
            Column.of("path", Snapshot::path),
            Column.of("state", Snapshot::state),
            Column.of("created_at", Snapshot::createdAt),
            Column.of("slot_name", Snapshot::slotName),
            Column.of("compression", Snapshot::compression),
            Column.of("tables", Snapshot::tables),
            Column.of("rows", Snapshot::rows),
            Column.of("size", snapshot -> Text.bytes(snapshot.bytes())));

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        out.list(
                out.json() ? JSON : TEXT, node.snapshots().list(), "there is no snapshot; snapshot generate makes one");
        return ExitCode.OK;
    }
}
