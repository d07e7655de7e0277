package io.steeprepl.cli.service;

import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.ipc.IpcTransport;
import java.time.Duration;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code stop}. */
@Command(
        name = "stop",
        description = "Ends the service: what is running may end first.",
        footer = {"  steep-repl stop", "  steep-repl stop --daemon --name shop"})
public final class StopCommand extends Action {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Option(
            names = "--daemon",
            description =
                    "Tell the daemon itself, over its socket, whoever has started it, instead of the system's manager of services, which starts a service again that ends so.")
    private boolean daemon;

    @Override
    protected ExitCode run(Output out) {
        if (daemon) {
            var socket = service.launch(ConfigPath.ofProcess(configOption())).socket();
            try (IpcTransport transport = IpcTransport.toAsk(socket, LIMIT)) {
                transport.call("daemon.stop", Codec.object());
            }
            out.done("The daemon ends.", Map.of("ending", true));
        } else {
            service.manager().stop();
            out.done("Stopped.", Map.of("stopped", true));
        }
        return ExitCode.OK;
    }
}
