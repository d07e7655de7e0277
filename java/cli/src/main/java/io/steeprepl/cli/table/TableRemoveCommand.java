package io.steeprepl.cli.table;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code table remove}. */
@Command(
        name = "remove",
        description = "Ends the replication of a table on all nodes. Its rows stay everywhere.",
        footer = "  steep-repl table remove shop.orders")
final class TableRemoveCommand extends NodeAction {
    @Parameters(paramLabel = "TABLE", description = "Its name as SQL writes it.")
    private String name = "";

    @Override
    protected void check() {
        QualifiedName.parse(name);
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        node.tables().remove(QualifiedName.parse(name));
        out.done(name + ": removed", Map.of("table_name", name, "state", "removed"));
        return ExitCode.OK;
    }
}
