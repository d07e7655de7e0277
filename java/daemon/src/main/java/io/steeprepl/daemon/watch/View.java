package io.steeprepl.daemon.watch;

import io.steeprepl.api.ConflictCount;
import io.steeprepl.api.Health;
import io.steeprepl.api.Node;
import io.steeprepl.api.SubscriptionStatus;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the last look at the database saw.
 *
 * @param at when that was
 * @param health null when it could not be had; what else is there is then from before
 * @param problem why it could not be had although there is a connection
 */
public record View(
        Instant at,
        DatabaseState database,
        @Nullable Health health,
        List<Node> nodes,
        List<SubscriptionStatus> subscriptions,
        List<ConflictCount> conflicts,
        @Nullable String problem) {

    static View nothing(Instant at) {
        var state = new DatabaseState(DatabaseState.Status.CONNECTING, at, null, null);
        return new View(at, state, null, List.of(), List.of(), List.of(), null);
    }

    View in(Instant at, DatabaseState state) {
        return new View(at, state, state.connected() ? health : null, nodes, subscriptions, conflicts, null);
    }

    View with(String problem, Instant at) {
        return new View(at, database, null, nodes, subscriptions, conflicts, problem);
    }

    /** healthy, degraded or unhealthy. */
    public String status() {
        Health known = health;
        return !database.connected() || known == null ? "unhealthy" : known.status();
    }

    /** Why it is not healthy. */
    public List<String> reasons() {
        Health known = health;
        if (!database.connected()) {
            String error = database.error();
            return List.of(error == null ? "no connection to the database yet" : error);
        }
        if (known == null) {
            return List.of(problem == null ? "not looked at yet" : problem);
        }
        return known.reasons();
    }
}
