package io.steeprepl.cli.schema;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.TableComparison;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code schema compare}. */
@Command(
        name = "compare",
        description = {
            "Compares the tables of this node with those of a peer. Ends with 3 when a table differs or one side lacks it.",
            "Without --all those that differ; -o json always has all."
        },
        footer = {
            "  steep-repl -c service=berlin schema compare paris",
            "  steep-repl schema compare berlin paris --all"
        })
final class SchemaCompareCommand extends PeerAction {
    private static final int SHORT = 12;

    private static final List<Column<TableComparison>> JSON = List.of(
            Column.of("table_schema", TableComparison::tableSchema),
            Column.of("table_name", TableComparison::tableName),
            Column.of("local_fp", TableComparison::localFingerprint),
            Column.of("remote_fp", TableComparison::remoteFingerprint),
            Column.of("status", TableComparison::status));

    private static final List<Column<TableComparison>> TEXT = List.of(
            Column.of("table", table -> table.tableSchema() + "." + table.tableName()),
            Column.of("status", TableComparison::status),
            Column.of("local_fp", table -> cut(table.localFingerprint())),
            Column.of("remote_fp", table -> cut(table.remoteFingerprint())));

    @Parameters(
            index = "0",
            paramLabel = "NODE",
            description = "The peer; or, where a second one follows, the node to ask instead of this one.")
    private String first = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "PEER", description = "The peer to compare NODE with.")
    private @Nullable String second;

    @Option(names = "--all", description = "Also tables that are the same.")
    private boolean all;

    @Override
    protected ExitCode run(Output out) {
        String asked = second == null ? null : first;
        String peer = peer(second == null ? first : second);
        List<TableComparison> tables;
        try (SteepRepl node = node(asked, out);
                Interrupt.Registration _ = Interrupt.onInterrupt(node::cancel)) {
            tables = node.schemas().compare(peer);
        }
        List<TableComparison> differing =
                tables.stream().filter(table -> !table.matches()).toList();
        if (out.json()) {
            out.list(JSON, tables, "");
        } else {
            out.list(TEXT, all ? tables : differing, "no tables differ");
            out.note("%d the same on both, %d not.".formatted(tables.size() - differing.size(), differing.size()));
            if (!differing.isEmpty()) {
                out.note("schema diff says what differs.");
            }
        }
        return differing.isEmpty() ? ExitCode.OK : ExitCode.SCHEMA_MISMATCH;
    }

    private static @Nullable String cut(@Nullable String fingerprint) {
        return fingerprint == null ? null : fingerprint.substring(0, Math.min(SHORT, fingerprint.length()));
    }
}
