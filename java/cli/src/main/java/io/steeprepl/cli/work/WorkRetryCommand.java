package io.steeprepl.cli.work;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code work retry}. */
@Command(
        name = "retry",
        description = {
            "Has work that failed or was cancelled tried again, from where it can go on: a snapshot is taken anew,"
                    + " loading",
            "that failed goes on after what is loaded. It runs as the role that asked for it; you must be a member of"
                    + " that."
        },
        footer = {"  steep-repl work retry 3", "  steep-repl snapshot progress 3 --follow"})
final class WorkRetryCommand extends NodeAction {
    @Parameters(paramLabel = "ID", description = "Its number, see work list.")
    private long id;

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        node.work().retry(id);
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("id", id);
        object.put("state", "pending");
        out.done("work %1$d is tried again; to look: steep-repl snapshot progress %1$d --follow".formatted(id), object);
        return ExitCode.OK;
    }
}
