package io.steeprepl.cli.snapshot;

import io.steeprepl.api.SnapshotApi.ApplyOptions;
import io.steeprepl.api.StartedWork;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.work.WorkAction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code snapshot apply}. */
@Command(
        name = "apply",
        description = {
            "Loads a snapshot from a folder on the server into empty tables of the same shape, sets its sequences, and",
            "shows how far that is. All that speaks against it is said before anything is loaded. The server does the",
            "work: it goes on when this program ends. What fails half way goes on with work retry.",
            "For members of pg_read_server_files who may insert into the tables."
        },
        footer = {
            "  steep-repl snapshot apply /backup/monday",
            "  steep-repl snapshot apply /backup/monday --parallel 8 --no-verify --detach"
        })
final class SnapshotApplyCommand extends WorkAction {
    @Parameters(paramLabel = "PATH", description = "The snapshot's folder: an absolute path on the server.")
    private String path = "";

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "How many streams share the work, 1 to 16. Default: 4.")
    private @Nullable Integer parallel;

    @Option(
            names = "--no-verify",
            description = {
                "Do not compare all files with their checksums first. Each is then compared while it is loaded, and a",
                "damaged one ends the work when others have been loaded."
            })
    private boolean noVerify;

    @Option(
            names = "--no-strict",
            description = {
                "Load into tables that are defined otherwise than in the snapshot, as long as their columns and foreign",
                "keys fit: without an index, for example."
            })
    private boolean noStrict;

    @Override
    protected String kind() {
        return "apply";
    }

    @Override
    protected StartedWork begin(SteepRepl node) {
        return node.snapshots().apply(new ApplyOptions(path, parallel, !noVerify, !noStrict));
    }
}
