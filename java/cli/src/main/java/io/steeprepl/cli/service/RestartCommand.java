package io.steeprepl.cli.service;

import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code restart}. */
@Command(name = "restart", description = "Ends the service and starts it again.", footer = "  steep-repl restart")
public final class RestartCommand extends ServiceAction {
    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Override
    protected ExitCode act(Output out) {
        service.manager().restart();
        out.done("Started again.", Map.of("restarted", true));
        return ExitCode.OK;
    }
}
