package io.steeprepl.cli.work;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code work list}. */
@Command(
        name = "list",
        description = {
            "What waits and runs, and what ended last; starts, reinits and tables that join among it while they run, and for an hour",
            "after. Work that ended is forgotten after 90 days."
        },
        footer = {"  steep-repl work list", "  steep-repl work list --limit 500 -o json"})
final class WorkListCommand extends NodeAction {
    @Option(names = "--limit", paramLabel = "N", description = "How much at most. Default: ${DEFAULT-VALUE}.")
    private int limit = 50;

    @Override
    protected void check() {
        if (limit < 1) {
            throw new ApiException.Usage("--limit is " + limit, "--limit 50");
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        out.list(
                out.json() ? ListedWork.COLUMNS : ListedWork.TEXT,
                ListedWork.of(node.work().list(limit), node.work().progress(null)),
                "there is no work; snapshot generate and snapshot apply make some");
        return ExitCode.OK;
    }
}
