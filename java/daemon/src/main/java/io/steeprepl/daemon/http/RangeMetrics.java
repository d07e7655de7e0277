package io.steeprepl.daemon.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.steeprepl.api.Health;
import io.steeprepl.daemon.watch.View;
import java.util.List;
import java.util.function.Supplier;

/** How far the ranges of ids of this node are used, as its health says. */
final class RangeMetrics {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Supplier<View> view;
    private final PrometheusRegistry registry;

    RangeMetrics(Supplier<View> view, PrometheusRegistry registry) {
        this.view = view;
        this.registry = registry;
    }

    void register() {
        perTable(
                "steep_repl_range_used_percent",
                "How far the range is used in which a table's sequence is.",
                "percent_used");
        perTable("steep_repl_range_ahead", "Ranges that are cut already, behind that one.", "ranges_ahead");
        perTable("steep_repl_range_ids_left", "Ids of a table that are this node's and in no range yet.", "ids_left");
    }

    private void perTable(String name, String help, String field) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames("node", "table")
                .callback(sink -> {
                    Health health = view.get().health();
                    if (health == null || health.nodeId() == null) {
                        return;
                    }
                    for (JsonNode range : ranges(health)) {
                        if (range.path(field).isNumber()) {
                            sink.call(
                                    range.path(field).asDouble(),
                                    health.nodeId(),
                                    range.path("table").asText());
                        }
                    }
                })
                .register(registry);
    }

    private static Iterable<JsonNode> ranges(Health health) {
        try {
            return JSON.readTree(health.document()).path("ranges");
        } catch (JsonProcessingException e) {
            return List.of();
        }
    }
}
