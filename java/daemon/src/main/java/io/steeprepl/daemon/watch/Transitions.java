package io.steeprepl.daemon.watch;

import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.direct.WatcherEvent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says each change once: in the log, to listeners, and in the audit log where it matters afterwards. */
record Transitions(Events events, AuditTrail audit) {
    private static final Logger LOG = LoggerFactory.getLogger(Watch.class);

    void seen(View before, View after) {
        database(before.database(), after.database());
        String problem = after.problem();
        if (problem != null && !problem.equals(before.problem())) {
            LOG.warn("the node cannot say how it is: {}", problem);
        }
        if (!after.database().connected()) {
            // What the registry said before still stands there; only the health is another.
            Differences.between(before, after).stream()
                    .filter(event -> event.name().equals("health.status"))
                    .forEach(event -> tell(event, after));
            return;
        }
        Differences.between(before, after).forEach(event -> tell(event, after));
    }

    private void tell(Event event, View after) {
        String to = String.valueOf(event.data().get("to"));
        boolean bad = to.equals("unavailable") || to.equals("unhealthy") || to.equals("waiting") || to.equals("failed");
        (bad ? LOG.atWarn() : LOG.atInfo()).addKeyValue("event", event.name()).log("{} {}", event.name(), event.data());
        events.tell(event);
        if (event.name().equals("node.status") && event.data().get("from") != null) {
            String peer = String.valueOf(event.data().get("node"));
            if (to.equals("unavailable")) {
                record(event, "daemon.peer_lost", "node", peer, why(peer, after));
            } else if (to.equals("online") && "unavailable".equals(event.data().get("from"))) {
                record(event, "daemon.peer_back", "node", peer, null);
            }
        }
    }

    /** What the node itself says of it, in the same look. */
    private static String why(String peer, View after) {
        return after.reasons().stream()
                .filter(reason -> reason.startsWith("node %s is unavailable: ".formatted(peer)))
                .findFirst()
                .orElse("the registry calls it unavailable");
    }

    private void database(DatabaseState before, DatabaseState after) {
        boolean same = before.status() == after.status() && Objects.equals(before.error(), after.error());
        if (same) {
            return;
        }
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        data.put("from", before.status().toString());
        data.put("to", after.status().toString());
        data.put("server_version", after.serverVersion());
        data.put("error", after.error());
        if (after.connected()) {
            LOG.info("connected to the database, PostgreSQL {}", after.serverVersion());
            Event event = new Event(after.since(), "database.connected", data);
            events.tell(event);
            if (before.status() != DatabaseState.Status.CONNECTING) {
                record(event, "daemon.database_back", "database", null, null);
            }
            return;
        }
        LOG.warn("no connection to the database: {}", after.error());
        // The same state for another reason is worth a line, but it is no event.
        if (before.status() != after.status()) {
            Event event = new Event(after.since(), "database.lost", data);
            events.tell(event);
            record(event, "daemon.database_lost", "database", null, String.valueOf(after.error()));
        }
    }

    private void record(Event event, String action, String type, @Nullable String id, @Nullable String error) {
        audit.add(new WatcherEvent(event.at(), action, type, id, null, null, null, error));
    }
}
