package io.steeprepl.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.Health;
import io.steeprepl.api.Version;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.watch.View;
import io.steeprepl.daemon.watch.Watch;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;

/** What the daemon says about itself and its node, from what it last saw: nothing here asks the database. */
public final class Status {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Settings settings;
    private final Watch watch;
    private final AuditTrail audit;
    private final Supplier<List<Component>> components;
    private final Instant started = Instant.now();

    Status(Settings settings, Watch watch, AuditTrail audit, Supplier<List<Component>> components) {
        this.settings = settings;
        this.watch = watch;
        this.audit = audit;
        this.components = components;
    }

    /** What was seen last. */
    public View view() {
        return watch.view();
    }

    /** How long the daemon has been running. */
    public Duration uptime() {
        return Duration.between(started, Instant.now());
    }

    /** healthy, degraded or unhealthy: the worst of node, components and audit trail. */
    public String overall() {
        boolean broken =
                components.get().stream().anyMatch(part -> part.state().status().equals("unhealthy"));
        String node = view().status();
        if (broken) {
            return "unhealthy";
        }
        boolean troubled = audit.problem().isPresent()
                || components.get().stream().anyMatch(part -> part.warning().isPresent());
        return node.equals("healthy") && troubled ? "degraded" : node;
    }

    /** The document of {@code GET /health}, {@code health.check}. */
    public ObjectNode health() {
        View view = view();
        ObjectNode document = JSON.createObjectNode();
        document.put("status", overall());
        ArrayNode reasons = document.putArray("reasons");
        view.reasons().forEach(reasons::add);
        audit.problem().ifPresent(reasons::add);
        for (Component part : components.get()) {
            ComponentState state = part.state();
            if (state.status().equals("unhealthy")) {
                reasons.add("%s: %s".formatted(part.name(), state.reason()));
            }
            part.warning().ifPresent(reasons::add);
        }
        ObjectNode parts = document.putObject("components");
        ObjectNode postgresql = parts.putObject("postgresql");
        postgresql.put("status", view.database().connected() ? "healthy" : "unhealthy");
        postgresql.put("state", view.database().status().toString());
        postgresql.put("version", view.database().serverVersion());
        postgresql.put("reason", view.database().error());
        postgresql.put("since", view.database().since().toString());
        part(parts, "grpc");
        part(parts, "ipc");
        document.put("node", node(view));
        document.put("uptime_seconds", uptime().toMillis() / 1000.0);
        document.put("version", Version.CURRENT);
        document.put("checked_at", view.seen() == null ? null : String.valueOf(view.seen()));
        document.put("attempted_at", view.at().toString());
        return document;
    }

    private void part(ObjectNode parts, String name) {
        ComponentState state = components.get().stream()
                .filter(component -> component.name().equals(name))
                .findFirst()
                .map(Component::state)
                .orElse(ComponentState.disabled());
        ObjectNode part = parts.putObject(name);
        part.put("status", state.status());
        part.put("reason", state.reason());
    }

    /** The document of {@code status.get}: the daemon, its node, and what the node says of peers and links. */
    public ObjectNode status() {
        View view = view();
        ObjectNode document = health();
        document.put("pid", ProcessHandle.current().pid());
        document.put("name", settings.launch().name());
        document.put("started_at", started.toString());
        document.put("config", settings.launch().config().toString());
        document.put("node_name", settings.now().nodeName().orElse(name(view)));
        ArrayNode nodes = document.putArray("nodes");
        view.nodes().forEach(node -> {
            ObjectNode entry = nodes.addObject();
            entry.put("node_id", node.nodeId().value());
            entry.put("status", node.status());
            entry.put("is_self", node.isSelf());
            entry.put("last_seen", node.lastSeen() == null ? null : String.valueOf(node.lastSeen()));
        });
        ArrayNode links = document.putArray("subscriptions");
        view.subscriptions().forEach(link -> {
            ObjectNode entry = links.addObject();
            entry.put("peer", link.peer());
            entry.put("state", link.state());
            entry.put("lag_bytes", link.lagBytes());
            entry.put("lag_seconds", link.lagSeconds());
            entry.put("last_error", link.lastError());
        });
        document.put("audit_pending", audit.pending());
        document.put("audit_lost", audit.lost());
        return document;
    }

    /** Everything that the node itself says, as {@code steep_repl.health()} has it; null while it cannot be asked. */
    public JsonNode nodeHealth() {
        Health health = view().health();
        try {
            return health == null ? JSON.nullNode() : JSON.readTree(health.document());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the database's document is no JSON", e);
        }
    }

    private String node(View view) {
        Health health = view.health();
        String seen = health == null ? null : health.nodeId();
        return seen != null
                ? seen
                : view.nodes().stream()
                        .filter(node -> node.isSelf())
                        .map(node -> node.nodeId().value())
                        .findFirst()
                        .or(() -> settings.now().nodeId())
                        .orElse("");
    }

    private static String name(View view) {
        return view.nodes().stream()
                .filter(node -> node.isSelf())
                .map(node -> node.nodeName())
                .findFirst()
                .orElse("");
    }
}
