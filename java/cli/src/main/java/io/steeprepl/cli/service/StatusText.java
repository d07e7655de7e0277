package io.steeprepl.cli.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.cli.output.Text;
import io.steeprepl.cli.service.StatusCommand.Unanswered;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** {@code status}, for people. */
final class StatusText {
    private StatusText() {}

    static String of(List<FoundService> services, Optional<JsonNode> daemon, Unanswered answer) {
        return daemon.map(said -> with(services, said)).orElseGet(() -> without(services, answer));
    }

    /** What a daemon has said; {@code services} is empty where only it was asked. */
    static String with(List<FoundService> services, JsonNode daemon) {
        JsonNode postgresql = daemon.path("components").path("postgresql");
        String why = postgresql.path("reason").asText("");
        var text = new StringBuilder();
        services(text, services);
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
                        + (why.isEmpty() ? "" : ": " + why));
        line(
                text,
                "Node",
                "%s, %s"
                        .formatted(
                                daemon.path("node").asText("").isEmpty()
                                        ? "not known yet"
                                        : daemon.path("node").asText(),
                                daemon.path("status").asText()));
        for (JsonNode reason : daemon.path("reasons")) {
            // Said of the database already.
            if (!reason.asText().equals(why)) {
                line(text, "", reason.asText());
            }
        }
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

    private static String without(List<FoundService> services, Unanswered answer) {
        var text = new StringBuilder();
        services(text, services);
        String process = services.stream()
                .flatMap(found -> found.state().pid().stream())
                .findFirst()
                .map(pid -> "runs as process %d, and is ".formatted(pid))
                .orElse("");
        line(
                text,
                "Daemon",
                answer.owner()
                        .map(owner -> "%snot asked; its socket %s is for %s and root: sudo steep-repl status"
                                .formatted(process, answer.socket(), owner))
                        .orElseGet(() -> process.isEmpty()
                                ? "not running: " + answer.why()
                                : process + "silent: " + answer.why()));
        return text.toString();
    }

    private static void services(StringBuilder text, List<FoundService> services) {
        List<FoundService> installed =
                services.stream().filter(found -> found.state().installed()).toList();
        for (FoundService found :
                installed.isEmpty() ? services.stream().limit(1).toList() : installed) {
            line(text, "Service", found.text());
        }
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
}
