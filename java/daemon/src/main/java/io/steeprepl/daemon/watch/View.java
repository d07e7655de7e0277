package io.steeprepl.daemon.watch;

import io.steeprepl.api.ConflictCount;
import io.steeprepl.api.Health;
import io.steeprepl.api.Node;
import io.steeprepl.api.SubscriptionStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the last look at the database saw.
 *
 * @param at when it was tried
 * @param seen when health, nodes and subscriptions were read; null for never. Before {@code at} when the last attempt failed
 * @param health null when it could not be had
 * @param problem why not all could be had although there is a connection; what is there is then from before
 */
public record View(
        Instant at,
        @Nullable Instant seen,
        DatabaseState database,
        @Nullable Health health,
        List<Node> nodes,
        List<SubscriptionStatus> subscriptions,
        Counts counts,
        @Nullable String problem) {

    static View nothing(Instant at) {
        var state = new DatabaseState(DatabaseState.Status.CONNECTING, at, null, null);
        return new View(at, null, state, null, List.of(), List.of(), Counts.NONE, null);
    }

    /** As before, with the database in that state. */
    View in(Instant now, DatabaseState state) {
        Health known = state.connected() ? health : null;
        return new View(now, seen, state, known, nodes, subscriptions, counts, null);
    }

    /** The database refuses to say how the node is. */
    View refused(String why, Instant now) {
        return new View(now, seen, database, null, nodes, subscriptions, counts, why);
    }

    /** The database is there, and does not say in time how the node is: it may be as it was. */
    View late(String why, Instant now) {
        String since = seen == null ? "" : ", as it was said at " + seen;
        String text = "the node does not say how it is%s: %s".formatted(since, why);
        return new View(now, seen, database, health, nodes, subscriptions, counts, text);
    }

    /** The conflicts in the log, as they were counted last. */
    public List<ConflictCount> conflicts() {
        return counts.conflicts();
    }

    /** Whether node, links and registry are as they were at the last attempt. */
    public boolean current() {
        return database.connected() && problem == null && seen != null;
    }

    /** healthy, degraded or unhealthy. */
    public String status() {
        Health known = health;
        if (!database.connected() || known == null) {
            return "unhealthy";
        }
        return problem != null && known.status().equals("healthy") ? "degraded" : known.status();
    }

    /** Why it is not healthy. */
    public List<String> reasons() {
        if (!database.connected()) {
            String error = database.error();
            return List.of(error == null ? "no connection to the database yet" : error);
        }
        Health known = health;
        String trouble = problem;
        if (known == null) {
            return List.of(trouble == null ? "not looked at yet" : trouble);
        }
        List<String> all = new ArrayList<>();
        if (trouble != null) {
            all.add(trouble);
        }
        all.addAll(known.reasons());
        return List.copyOf(all);
    }
}
