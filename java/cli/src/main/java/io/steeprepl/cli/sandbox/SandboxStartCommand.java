package io.steeprepl.cli.sandbox;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Output;
import io.steeprepl.testkit.sandbox.Sandbox;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sandbox start}. */
@Command(
        name = "start",
        description =
                "Starts nodes a, b, c, … with the extension in database sandbox; on a folder that exists, those that are down.",
        footer = "  steep-repl sandbox start --nodes 3 --link -o json")
final class SandboxStartCommand extends SandboxAction {
    @Option(names = "--nodes", paramLabel = "N", description = "How many. Default: as many as there are, or one.")
    private @Nullable Integer nodes;

    @Option(names = "--link", description = "Link each with each, both ways.")
    private boolean link;

    @Override
    protected ExitCode run(Sandbox sandbox, Output out) {
        if (nodes != null && (nodes < 1 || nodes > Sandbox.MOST)) {
            throw new ApiException.Usage("--nodes is " + nodes, "a sandbox has 1 to " + Sandbox.MOST + " nodes");
        }
        try (var _ = Interrupt.onInterrupt(sandbox::undo)) {
            print(sandbox, sandbox.start(nodes == null ? 0 : nodes, link, out::note), out);
        }
        if (!out.json()) {
            out.note("stop them with: steep-repl sandbox stop --dir " + sandbox.dir());
        }
        return ExitCode.OK;
    }
}
