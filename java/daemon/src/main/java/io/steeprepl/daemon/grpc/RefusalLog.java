package io.steeprepl.daemon.grpc;

import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.direct.WatcherEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says who was refused: in the log, to listeners, in the audit log. The same again only after a while. */
final class RefusalLog implements Refusals.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcServer.class);
    private static final Duration QUIET = Duration.ofMinutes(1);
    private static final int MOST = 1000;

    private final Events events;
    private final AuditTrail audit;
    private final Map<String, Instant> said = new LinkedHashMap<>();

    RefusalLog(Events events, AuditTrail audit) {
        this.events = events;
        this.audit = audit;
    }

    @Override
    public void refused(String address, String reason) {
        Instant now = Instant.now();
        if (!due(address + " " + reason, now)) {
            return;
        }
        LOG.atWarn()
                .addKeyValue("event", "connection.refused")
                .addKeyValue("address", address)
                .log("refused a connection from {}: {}", address, reason);
        events.tell(new Event(now, "connection.refused", Map.of("address", address, "reason", reason)));
        audit.add(new WatcherEvent(
                now, "daemon.connection_refused", "connection", address, null, null, inet(address), reason));
    }

    private synchronized boolean due(String what, Instant now) {
        said.values().removeIf(at -> at.isBefore(now.minus(QUIET)));
        return said.size() < MOST && said.putIfAbsent(what, now) == null;
    }

    /** PostgreSQL knows no zones of addresses. */
    private static String inet(String address) {
        int zone = address.indexOf('%');
        return zone < 0 ? address : address.substring(0, zone);
    }
}
