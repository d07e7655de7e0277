package io.steeprepl.cli.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.Transport;
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

/** {@code status}. */
@Command(
        name = "status",
        description = {
            "The service, and what its daemon says of itself, its node and its peers. Ends with 1 when no daemon answers.",
            "Without --system and --user it looks for both. With --remote it asks that daemon, and for no service."
        },
        footer = {
            "  steep-repl status",
            "  steep-repl status --name shop -o json",
            "  steep-repl --remote paris:5433 --certs certs/alice status"
        })
public final class StatusCommand extends Action {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Mixin
    private final SocketOption socket = new SocketOption();

    @Override
    protected ExitCode run(Output out) {
        if (hasConnectionOption()) {
            throw new ApiException.Usage(
                    "-c names a database, and status asks the daemon",
                    "leave -c out; how the node is, its database says itself: steep-repl -c ... health");
        }
        Path named = socket.value();
        String remote = remoteOption();
        if (remote != null) {
            if (named != null) {
                throw new ApiException.Usage("--remote and --socket both name a daemon", "leave one of them out");
            }
            return elsewhere(remote, out);
        }
        List<FoundService> services = service.found();
        Path at = named == null ? service.socket(configOption(), () -> services) : named;
        Optional<JsonNode> daemon = Optional.empty();
        String why = "";
        try (IpcTransport transport = IpcTransport.toAsk(at, LIMIT)) {
            daemon = Optional.of(transport.call("status.get", Codec.object()));
        } catch (ApiException.CannotConnect | ApiException.TimedOut e) {
            why = e.message() + (e.detail() == null ? "" : ": " + e.detail());
        }
        if (out.json()) {
            out.done("", document(services, at.toString(), daemon));
        } else {
            out.text(StatusText.of(services, daemon, new Unanswered(at, why, IpcTransport.owner(at))));
        }
        return daemon.isPresent() ? ExitCode.OK : ExitCode.FAILED;
    }

    /** Why there is no answer; {@code owner}: of the socket, when it is for somebody else. */
    record Unanswered(Path socket, String why, Optional<String> owner) {}

    /** The services there are not this machine's to see; that it cannot be reached is an error, as with every command. */
    private ExitCode elsewhere(String where, Output out) {
        try (Transport transport = daemons().toAsk(where, patience(LIMIT))) {
            JsonNode daemon = transport.call("status.get", Codec.object());
            if (out.json()) {
                out.done("", document(List.of(), where, Optional.of(daemon)));
            } else {
                out.text(StatusText.with(List.of(), daemon));
            }
        }
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> document(
            List<FoundService> services, String socket, Optional<JsonNode> daemon) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("service", services.isEmpty() ? null : meant(services).document());
        document.put("services", services.stream().map(FoundService::document).toList());
        document.put("running", daemon.isPresent() || services.stream().anyMatch(FoundService::running));
        document.put("answers", daemon.isPresent());
        document.put("socket", socket);
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
