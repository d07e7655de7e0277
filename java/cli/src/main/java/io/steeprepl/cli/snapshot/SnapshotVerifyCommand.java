package io.steeprepl.cli.snapshot;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SnapshotFile;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code snapshot verify}. */
@Command(
        name = "verify",
        description = {
            "Compares every file of a snapshot with its checksum, and lists those that are not whole; -o json lists"
                    + " all.",
            "Exits with 1 when one is not. For members of pg_read_server_files."
        },
        footer = {"  steep-repl snapshot verify /backup/monday", "  steep-repl snapshot verify /backup/monday -o json"})
final class SnapshotVerifyCommand extends NodeAction {
    private static final List<Column<SnapshotFile>> COLUMNS = List.of(
            Column.of("file", SnapshotFile::file),
            Column.of("bytes", SnapshotFile::bytes),
            Column.of("problem", SnapshotFile::problem));

    @Parameters(paramLabel = "PATH", description = "The snapshot's folder: an absolute path on the server.")
    private String path = "";

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        List<SnapshotFile> files = node.snapshots().verify(path);
        List<SnapshotFile> damaged =
                files.stream().filter(file -> file.problem() != null).toList();
        if (out.json()) {
            out.list(COLUMNS, files, "");
        } else if (!damaged.isEmpty()) {
            out.list(COLUMNS, damaged, "");
        }
        if (!damaged.isEmpty()) {
            throw new ApiException.Failed(
                    "XX001",
                    "the snapshot in %s is damaged: %d of %d files".formatted(path, damaged.size(), files.size()),
                    null,
                    "copy it again from where it is whole, or take a new one",
                    null);
        }
        if (!out.json()) {
            long bytes = files.stream()
                    .mapToLong(file -> Objects.requireNonNullElse(file.bytes(), 0L))
                    .sum();
            out.text("whole: %d files, %s%n".formatted(files.size(), Text.bytes(bytes)));
        }
        return ExitCode.OK;
    }
}
