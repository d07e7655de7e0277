package io.steeprepl.cli.sandbox;

import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.testkit.sandbox.Sandbox;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sandbox stop}. */
@Command(
        name = "stop",
        description = "Stops the nodes of a sandbox; sandbox start starts them again.",
        footer = "  steep-repl sandbox stop --delete")
final class SandboxStopCommand extends SandboxAction {
    @Option(names = "--delete", description = "Remove the folder with all data too.")
    private boolean delete;

    @Override
    protected ExitCode run(Sandbox sandbox, Output out) {
        sandbox.stop(delete);
        String dir = sandbox.dir().toString();
        out.done(dir + ": " + (delete ? "stopped and removed" : "stopped"), Map.of("dir", dir, "deleted", delete));
        return ExitCode.OK;
    }
}
