package io.steeprepl.cli.service;

import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code uninstall}. */
@Command(
        name = "uninstall",
        description = "Ends the service and takes it away; the configuration and the node stay.",
        footer = "  steep-repl uninstall")
public final class UninstallCommand extends ServiceAction {
    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Override
    protected ExitCode act(Output out) {
        service.manager().uninstall().forEach(out::note);
        out.done("Removed.", Map.of("removed", true));
        return ExitCode.OK;
    }
}
