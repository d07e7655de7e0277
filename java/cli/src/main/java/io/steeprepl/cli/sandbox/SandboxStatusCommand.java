package io.steeprepl.cli.sandbox;

import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.testkit.sandbox.Sandbox;
import picocli.CommandLine.Command;

/** {@code sandbox status}. */
@Command(
        name = "status",
        description = "The nodes of a sandbox; those without a pid are down.",
        footer = "  steep-repl sandbox status -o json")
final class SandboxStatusCommand extends SandboxAction {
    @Override
    protected ExitCode run(Sandbox sandbox, Output out) {
        print(sandbox, sandbox.status(), out);
        return ExitCode.OK;
    }
}
