package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.ipc.IpcTransport;
import java.nio.file.Path;
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
public final class StopCommand extends ServiceAction {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Mixin
    private final SocketOption socket = new SocketOption();

    @Option(
            names = "--daemon",
            description =
                    "Tell the daemon itself, over its socket, whoever has started it, instead of the system's manager of services, which starts a service again that ends so.")
    private boolean daemon;

    @Override
    protected ExitCode act(Output out) {
        Path named = socket.value();
        if (daemon) {
            Path at = named == null ? service.socket(configOption(), service::found) : named;
            try (IpcTransport transport = IpcTransport.toAsk(at, LIMIT)) {
                transport.call("daemon.stop", Codec.object());
            }
            out.done("The daemon at %s ends.".formatted(at), Map.of("ending", true, "socket", at.toString()));
        } else if (named != null) {
            throw new ApiException.Usage("--socket means the daemon, not its service", "with it: stop --daemon");
        } else {
            service.manager().stop();
            out.done("Stopped.", Map.of("stopped", true));
        }
        return ExitCode.OK;
    }
}
