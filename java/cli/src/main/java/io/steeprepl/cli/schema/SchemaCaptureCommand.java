package io.steeprepl.cli.schema;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** {@code schema capture}. */
@Command(
        name = "capture",
        description = {
            "Keeps the fingerprints of all tables of this node, as they are now, in steep_repl.schema_fingerprints.",
            "The audit log says how many are new, changed or gone since the last time."
        },
        footer = "  steep-repl schema capture")
final class SchemaCaptureCommand extends NodeAction {
    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        int tables = node.schemas().capture();
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("tables", tables);
        out.done("captured the fingerprints of %d %s".formatted(tables, tables == 1 ? "table" : "tables"), done);
        return ExitCode.OK;
    }
}
