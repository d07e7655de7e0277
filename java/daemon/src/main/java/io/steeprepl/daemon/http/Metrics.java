package io.steeprepl.daemon.http;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.steeprepl.api.Node;
import io.steeprepl.api.SubscriptionStatus;
import io.steeprepl.api.Version;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.watch.View;
import io.steeprepl.direct.pool.Pool;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What a monitor counts. Values are taken from the last look when they are asked for. */
public final class Metrics {
    /** Of {@link #text}. */
    public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer =
            PrometheusTextFormatWriter.builder().build();
    private final Supplier<View> view;

    /** {@code pool}: the connections for requests, while there are any. */
    public Metrics(Supplier<View> view, Supplier<Optional<Pool>> pool, AuditTrail audit, Supplier<Duration> uptime) {
        this.view = view;
        Info.builder()
                .name("steep_repl_build_info")
                .help("The version of the daemon.")
                .labelNames("version", "java")
                .register(registry)
                .addLabelValues(Version.CURRENT, Runtime.version().toString());
        gauge(
                "steep_repl_uptime_seconds",
                "How long the daemon has been running.",
                () -> uptime.get().toMillis() / 1000.0);
        node();
        links();
        conflicts();
        new RangeMetrics(view, registry).register();
        pool(pool);
        counter("steep_repl_audit_writes_total", "Entries that the daemon wrote into the audit log.", audit::written);
        counter(
                "steep_repl_audit_lost_total",
                "Entries that were given up: too many waited, or the database cannot hold their values.",
                audit::lost);
        gauge("steep_repl_audit_pending", "Entries that wait for the database.", audit::pending);
    }

    private void node() {
        gauge(
                "steep_repl_postgresql_up",
                "Whether the daemon is connected to its database.",
                () -> view.get().database().connected() ? 1 : 0);
        gauge("steep_repl_health", "The node's health: 0 healthy, 1 degraded, 2 unhealthy.", () -> switch (view.get()
                .status()) {
            case "healthy" -> 0;
            case "degraded" -> 1;
            default -> 2;
        });
        age(
                "steep_repl_last_look_age_seconds",
                "How old the values of node and links are; missing before the first look.",
                View::seen);
        age(
                "steep_repl_conflicts_age_seconds",
                "How old the numbers of conflicts are; missing before the first count.",
                seen -> seen.counts().at());
        GaugeWithCallback.builder()
                .name("steep_repl_node_up")
                .help("Whether a node is online, as this node sees it; of others missing while it cannot say.")
                .labelNames("node")
                .callback(sink -> nodes(sink, view.get()))
                .register(registry);
    }

    /** Without a database nobody says anything about nodes; this one is then known to be down. */
    private static void nodes(GaugeWithCallback.Callback sink, View seen) {
        for (Node node : seen.nodes()) {
            boolean known = node.isSelf() || seen.current();
            if (known && !node.status().equals("removed")) {
                boolean up = node.status().equals("online") && seen.database().connected();
                sink.call(up ? 1 : 0, node.nodeId().value());
            }
        }
    }

    private void age(String name, String help, Function<View, @Nullable Instant> since) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(sink -> {
                    Instant at = since.apply(view.get());
                    if (at != null) {
                        sink.call(Duration.between(at, Instant.now()).toMillis() / 1000.0);
                    }
                })
                .register(registry);
    }

    /** Old values would say that all is well when nothing is known. */
    private List<SubscriptionStatus> current() {
        View seen = view.get();
        return seen.current() ? seen.subscriptions() : List.of();
    }

    private void links() {
        perLink(
                "steep_repl_replication_lag_bytes",
                "How much of a peer's log is not applied here.",
                SubscriptionStatus::lagBytes);
        perLink(
                "steep_repl_replication_lag_seconds",
                "How old the newest applied change of a peer is.",
                SubscriptionStatus::lagSeconds);
        perLink(
                "steep_repl_replication_retained_wal_bytes",
                "How much log a peer keeps for this node.",
                SubscriptionStatus::retainedWalBytes);
        perLink(
                "steep_repl_subscription_streaming",
                "Whether changes of a peer arrive.",
                link -> link.state().equals("streaming") ? 1 : 0);
    }

    private void perLink(String name, String help, Function<SubscriptionStatus, @Nullable Number> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames("peer")
                .callback(sink -> current().forEach(link -> {
                    Number known = value.apply(link);
                    if (known != null) {
                        sink.call(known.doubleValue(), link.peer());
                    }
                }))
                .register(registry);
    }

    private void conflicts() {
        // Not the size of the log: that falls when it is pruned, and a fall looks like a restart to whoever counts.
        CounterWithCallback.builder()
                .name("steep_repl_conflicts_total")
                .help("Conflicts since the daemon runs and those that were in the log before, by table, kind and peer.")
                .labelNames("table", "kind", "peer")
                .callback(sink -> view.get()
                        .counts()
                        .seen()
                        .forEach((of, count) -> sink.call((double) count, of.table(), of.kind(), of.peer())))
                .register(registry);
        gauge(
                "steep_repl_conflicts_pending",
                "Conflicts that wait for a decision.",
                () -> view.get().conflicts().stream()
                        .mapToLong(count -> count.pending())
                        .sum());
        gauge(
                "steep_repl_conflicts_unproven",
                "Conflicts of which it is not known yet that all nodes agree.",
                () -> view.get().conflicts().stream()
                        .mapToLong(count -> count.unproven())
                        .sum());
    }

    private void pool(Supplier<Optional<Pool>> pool) {
        ToDoubleFunction<Function<Pool, Integer>> of =
                figure -> pool.get().map(figure).orElse(0);
        gauge(
                "steep_repl_pool_connections_in_use",
                "Connections that answer requests now.",
                () -> of.applyAsDouble(Pool::active));
        gauge("steep_repl_pool_connections", "Connections for requests.", () -> of.applyAsDouble(Pool::total));
        gauge("steep_repl_pool_waiting", "Requests that wait for a connection.", () -> of.applyAsDouble(Pool::waiting));
    }

    /** Adds a figure that another part of the daemon has. */
    public void gauge(String name, String help, Supplier<? extends Number> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(sink -> sink.call(value.get().doubleValue()))
                .register(registry);
    }

    /** Adds a figure that another part of the daemon has of each node, by its id. */
    public void perNode(String name, String help, Supplier<Map<String, Integer>> values) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames("node")
                .callback(sink -> values.get().forEach((node, value) -> sink.call(value, node)))
                .register(registry);
    }

    /** Adds a count that another part of the daemon has. */
    public void counter(String name, String help, Supplier<? extends Number> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(sink -> sink.call(value.get().doubleValue()))
                .register(registry);
    }

    /** All of it as Prometheus reads it. */
    public String text() {
        var out = new ByteArrayOutputStream();
        try {
            writer.write(out, registry.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }
}
