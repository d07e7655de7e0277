package io.steeprepl.daemon.watch;

import io.steeprepl.api.Node;
import io.steeprepl.api.SubscriptionStatus;
import io.steeprepl.daemon.event.Event;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What differs between two looks, as events. */
final class Differences {
    private final View after;
    private final List<Event> found = new ArrayList<>();

    private Differences(View after) {
        this.after = after;
    }

    static List<Event> between(View before, View after) {
        var changes = new Differences(after);
        changes.each(
                "node",
                "node.status",
                states(before.nodes(), Differences::id, Node::status),
                states(after.nodes(), Differences::id, Node::status));
        changes.each(
                "peer",
                "subscription.state",
                states(before.subscriptions(), SubscriptionStatus::peer, SubscriptionStatus::state),
                states(after.subscriptions(), SubscriptionStatus::peer, SubscriptionStatus::state));
        if (!before.status().equals(after.status())) {
            changes.add("health.status", "reasons", after.reasons(), before.status(), after.status());
        }
        long pendingBefore = pending(before);
        if (pendingBefore != pending(after)) {
            changes.add("conflict.pending", "reasons", List.of(), pendingBefore, pending(after));
        }
        return changes.found;
    }

    private static String id(Node node) {
        return node.nodeId().value();
    }

    private static long pending(View view) {
        return view.conflicts().stream().mapToLong(count -> count.pending()).sum();
    }

    private static <T> Map<String, String> states(List<T> all, Function<T, String> name, Function<T, String> state) {
        return all.stream().collect(Collectors.toMap(name, state, (one, other) -> other));
    }

    private void each(String noun, String event, Map<String, String> before, Map<String, String> now) {
        var names = new TreeSet<>(before.keySet());
        names.addAll(now.keySet());
        for (String name : names) {
            String from = before.get(name);
            String to = now.get(name);
            if (from == null || !from.equals(to)) {
                add(event, noun, name, from, to);
            }
        }
    }

    private void add(String event, String noun, Object name, @Nullable Object from, @Nullable Object to) {
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        data.put(noun, name);
        data.put("from", from);
        data.put("to", to);
        found.add(new Event(after.at(), event, data));
    }
}
