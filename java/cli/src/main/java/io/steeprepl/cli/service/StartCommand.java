package io.steeprepl.cli.service;

import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code start}. */
@Command(name = "start", description = "Starts the service.", footer = "  steep-repl start")
public final class StartCommand extends ServiceAction {
    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Override
    protected ExitCode act(Output out) {
        service.manager().start();
        out.done("Started.", Map.of("started", true));
        return ExitCode.OK;
    }
}
