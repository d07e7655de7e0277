package io.steeprepl.cli.snapshot;

import io.steeprepl.api.Snapshot;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code snapshot delete}. */
@Command(
        name = "delete",
        description = {
            "Removes a snapshot's files, and nothing else in its folder. Without a question. A replication slot that was made with",
            "it stays, for whoever receives from it.",
            "For members of pg_write_server_files."
        },
        footer = {"  steep-repl snapshot list", "  steep-repl snapshot delete 3"})
final class SnapshotDeleteCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "Its number, see snapshot list.")
    private long id;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        String slot = node.snapshots().list().stream()
                .filter(snapshot -> snapshot.id() == id)
                .map(Snapshot::slotName)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        String path = node.snapshots().delete(id);
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("id", id);
        object.put("path", path);
        object.put("slot_name", slot);
        out.done("snapshot %d is deleted: %s".formatted(id, path), object);
        if (slot != null) {
            out.warn("its replication slot %s was not dropped, and holds WAL until somebody receives from it"
                    .formatted(slot));
            out.note("hint: if nobody does: SELECT pg_drop_replication_slot('%s')".formatted(slot.replace("'", "''")));
        }
        return ExitCode.OK;
    }
}
