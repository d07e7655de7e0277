package io.steeprepl.cli.snapshot;

import io.steeprepl.api.SnapshotApi.GenerateOptions;
import io.steeprepl.api.StartedWork;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.work.WorkAction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code snapshot generate}. */
@Command(
        name = "generate",
        description = {
            "Writes all rows of tables, as of one moment, into a new folder on the server, and shows how far that is.",
            "The server does the work: it goes on when this program ends. Writers are not held up; tables cannot be",
            "dropped, truncated or altered meanwhile. For members of pg_write_server_files who may read the tables."
        },
        footer = {
            "  steep-repl snapshot generate /backup/monday",
            "  steep-repl snapshot generate /backup/orders --table shop.orders --table 'billing.*' --parallel 8",
            "  steep-repl snapshot generate /backup/monday --compression lz4 --detach -o json"
        })
final class SnapshotGenerateCommand extends WorkAction {
    @Parameters(
            paramLabel = "PATH",
            description = "The folder to make: an absolute path on the server, in a folder that exists there.")
    private String path = "";

    @Option(names = "--compression", paramLabel = "NAME", description = "none, gzip, lz4 or zstd. Default: zstd.")
    private @Nullable String compression;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "How many streams share the work, 1 to 16; also a single large table. Default: 4.")
    private @Nullable Integer parallel;

    @Option(
            names = "--table",
            paramLabel = "NAME",
            description = "Only this table, or schema.* for all of a schema; as SQL writes it. May be repeated.")
    private List<String> tables = new ArrayList<>();

    @Option(
            names = "--slot",
            paramLabel = "NAME",
            description = "Make a replication slot that goes on from the snapshot's moment. It stays, and keeps WAL.")
    private @Nullable String slot;

    @Option(
            names = "--preparation",
            paramLabel = "ID",
            description = "For nodes that are to be filled from it, see node prepare: all replicated tables.")
    private @Nullable String preparation;

    @Override
    protected String kind() {
        return "snapshot";
    }

    @Override
    protected StartedWork begin(SteepRepl node) {
        return node.snapshots().generate(new GenerateOptions(path, compression, parallel, tables, slot, preparation));
    }
}
