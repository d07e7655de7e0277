package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.Daemon;
import io.steeprepl.daemon.Launch;
import io.steeprepl.direct.connection.Surroundings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code run}. */
@Command(
        name = "run",
        description = {
            "Runs the daemon beside a node in the foreground, until SIGTERM or Ctrl-C. Logs JSON lines to standard output.",
            "What it does stands in section repl of the configuration file; SIGHUP reads that again."
        },
        footer = {"  steep-repl run", "  steep-repl -c service=shop --config shop.yaml run --name shop"})
public final class RunCommand extends Action {
    @Mixin
    private final NameOption name = new NameOption();

    @Override
    protected ExitCode run(Output out) {
        if (hasRemoteOption()) {
            throw new ApiException.Usage(
                    "--remote names a daemon to ask, and run is one itself", "leave it out; -c names the database");
        }
        ConfigPath config = ConfigPath.ofProcess(configOption());
        Daemon.run(new Launch(config, name.value(), connectionOption(), Surroundings.ofProcess()));
        return ExitCode.OK;
    }
}
