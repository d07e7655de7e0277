package io.steeprepl.cli.service;

import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code stop}. */
@Command(name = "stop", description = "Ends the service: what is running may end first.", footer = "  steep-repl stop")
public final class StopCommand extends Action {
    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Override
    protected ExitCode run(Output out) {
        service.manager().stop();
        out.done("Stopped.", Map.of("stopped", true));
        return ExitCode.OK;
    }
}
