package io.steeprepl.cli.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.ipc.IpcTransport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code status}. */
@Command(
        name = "status",
        description = {
            "The service, and what its daemon says of itself, its node and its peers. Ends with 1 when no daemon answers.",
            "Without --system and --user it looks for both."
        },
        footer = {"  steep-repl status", "  steep-repl status --name shop -o json"})
public final class StatusCommand extends Action {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "The daemon's socket. Default: what repl.ipc.path names in its file, else the usual one.")
    private @Nullable Path socket;

    @Override
    protected ExitCode run(Output out) {
        List<FoundService> services = service.found();
        Path at = socket == null ? socket(services) : socket;
        Optional<JsonNode> daemon = Optional.empty();
        String why = "";
        try (IpcTransport transport = IpcTransport.toAsk(at, LIMIT)) {
            daemon = Optional.of(transport.call("status.get", Codec.object()));
        } catch (ApiException.CannotConnect | ApiException.TimedOut e) {
            why = e.message() + (e.detail() == null ? "" : ": " + e.detail());
        }
        if (out.json()) {
            out.done("", document(services, at, daemon));
        } else {
            out.text(StatusText.of(services, daemon, new Unanswered(at, why, IpcTransport.owner(at))));
        }
        return daemon.isPresent() ? ExitCode.OK : ExitCode.FAILED;
    }

    /** Why there is no answer; {@code owner}: of the socket, when it is for somebody else. */
    record Unanswered(Path socket, String why, Optional<String> owner) {}

    /** By the file that the user names, or else by that of the service. */
    private Path socket(List<FoundService> services) {
        ConfigPath own = ConfigPath.ofProcess(configOption());
        ConfigPath config = own.source() == ConfigPath.Source.DEFAULT
                ? services.stream()
                        .flatMap(found -> found.state().config().stream())
                        .findFirst()
                        .map(path -> new ConfigPath(path, ConfigPath.Source.OPTION))
                        .orElse(own)
                : own;
        return service.launch(config).socket();
    }

    private static Map<String, @Nullable Object> document(
            List<FoundService> services, Path socket, Optional<JsonNode> daemon) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("service", meant(services).document());
        document.put("services", services.stream().map(FoundService::document).toList());
        document.put("running", daemon.isPresent() || services.stream().anyMatch(FoundService::running));
        document.put("answers", daemon.isPresent());
        document.put("socket", socket.toString());
        document.put("daemon", Json.Raw.of(daemon.map(JsonNode::toString).orElse(null)));
        return document;
    }

    /** The one that is there. */
    static FoundService meant(List<FoundService> services) {
        return services.stream()
                .filter(found -> found.state().installed())
                .findFirst()
                .orElse(services.getFirst());
    }
}
