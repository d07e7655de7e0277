package io.steeprepl.cli.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.ipc.IpcCall;
import io.steeprepl.daemon.service.ServiceState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
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
            "The service, and what its daemon says of itself, its node and its peers. Ends with 1 when no daemon answers."
        },
        footer = {"  steep-repl status", "  steep-repl status --name shop -o json"})
public final class StatusCommand extends Action {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "The daemon's socket, when repl.ipc.path names another one.")
    private @Nullable Path socket;

    @Override
    protected ExitCode run(Output out) {
        ServiceState state = service.manager().state();
        Optional<JsonNode> daemon = Optional.empty();
        String why = "";
        try {
            daemon = Optional.of(IpcCall.get(socket == null ? usual() : socket, "status.get", LIMIT));
        } catch (ApiException.CannotConnect e) {
            why = e.message() + (e.detail() == null ? "" : ": " + e.detail());
        }
        if (out.json()) {
            out.done("", document(state, daemon));
        } else {
            out.text(daemon.isPresent() ? text(state, daemon.get()) : without(state, why));
        }
        return daemon.isPresent() ? ExitCode.OK : ExitCode.FAILED;
    }

    private Path usual() {
        return service.launch(ConfigPath.ofProcess(configOption())).socket();
    }

    private static String text(ServiceState state, JsonNode daemon) {
        JsonNode postgresql = daemon.path("components").path("postgresql");
        var text = new StringBuilder();
        line(text, "Service", service(state));
        line(
                text,
                "Daemon",
                "running, process %s, version %s, for %s"
                        .formatted(
                                daemon.path("pid").asText(),
                                daemon.path("version").asText(),
                                duration(daemon.path("uptime_seconds").asLong())));
        line(
                text,
                "PostgreSQL",
                postgresql.path("state").asText()
                        + (postgresql.path("version").isTextual()
                                ? ", version " + postgresql.path("version").asText()
                                : "")
                        + (postgresql.path("reason").isTextual()
                                ? ": " + postgresql.path("reason").asText()
                                : ""));
        line(
                text,
                "Node",
                "%s, %s"
                        .formatted(
                                daemon.path("node").asText("none"),
                                daemon.path("status").asText()));
        daemon.path("reasons").forEach(reason -> line(text, "", reason.asText()));
        for (JsonNode node : daemon.path("nodes")) {
            if (!node.path("is_self").asBoolean()
                    && !node.path("status").asText().equals("removed")) {
                line(
                        text,
                        "Peer",
                        "%s, %s"
                                .formatted(
                                        node.path("node_id").asText(),
                                        node.path("status").asText()));
            }
        }
        return text.toString();
    }

    private static String without(ServiceState state, String why) {
        var text = new StringBuilder();
        line(text, "Service", service(state));
        line(text, "Daemon", "not running: " + why);
        return text.toString();
    }

    private static String service(ServiceState state) {
        return state.installed() ? "installed, " + state.state() : "not installed (" + state.state() + ")";
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append("%-12s%s%n".formatted(name.isEmpty() ? "" : name + ":", Text.sanitise(value)));
    }

    private static String duration(long seconds) {
        Duration time = Duration.ofSeconds(seconds);
        return time.toDays() > 0
                ? "%d d %d h".formatted(time.toDays(), time.toHoursPart())
                : time.toHours() > 0
                        ? "%d h %d min".formatted(time.toHours(), time.toMinutesPart())
                        : "%d min %d s".formatted(time.toMinutes(), time.toSecondsPart());
    }

    private static Map<String, @Nullable Object> document(ServiceState state, Optional<JsonNode> daemon) {
        Map<String, @Nullable Object> service = new LinkedHashMap<>();
        service.put("installed", state.installed());
        service.put("state", state.state());
        service.put("pid", state.pid().orElse(null));
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("service", service);
        document.put("running", daemon.isPresent());
        document.put("daemon", Json.Raw.of(daemon.map(JsonNode::toString).orElse(null)));
        return document;
    }
}
