package io.steeprepl.daemon.grpc;

import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.direct.WatcherEvent;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says who was refused: in the log, to listeners, in the audit log. The same address for the same reason once a minute, and
 * no more than so many in a minute altogether: who is refused decides neither how much is written nor how much is kept.
 */
final class RefusalLog implements Refusals.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcServer.class);
    private static final Duration SPAN = Duration.ofMinutes(1);
    /** In one span, from all addresses. */
    static final int MOST = 60;

    private final Events events;
    private final AuditTrail audit;
    private final Clock clock;
    private final Set<String> said = new HashSet<>();
    private Instant begun;
    private long unsaid;

    RefusalLog(Events events, AuditTrail audit, Clock clock) {
        this.events = events;
        this.audit = audit;
        this.clock = clock;
        this.begun = clock.instant();
    }

    @Override
    public void refused(String address, Reason reason) {
        Instant now = clock.instant();
        if (!due(address + " " + reason.kind(), now)) {
            return;
        }
        LOG.atWarn()
                .addKeyValue("event", "connection.refused")
                .addKeyValue("address", address)
                .log("refused a connection from {}: {}", address, reason.text());
        events.tell(new Event(now, "connection.refused", Map.of("address", address, "reason", reason.text())));
        audit.add(new WatcherEvent(
                now, "daemon.connection_refused", "connection", address, null, null, inet(address), reason.text()));
    }

    private synchronized boolean due(String what, Instant now) {
        if (!now.isBefore(begun.plus(SPAN))) {
            if (unsaid > 0) {
                LOG.warn("{} more connections were refused since {}", unsaid, begun);
            }
            begun = now;
            unsaid = 0;
            said.clear();
        }
        boolean due = said.size() < MOST && said.add(what);
        unsaid += due ? 0 : 1;
        return due;
    }

    /** As PostgreSQL reads it, which knows no zones of addresses; null for what is no address. */
    private static @Nullable String inet(String address) {
        int zone = address.indexOf('%');
        String plain = zone < 0 ? address : address.substring(0, zone);
        try {
            return InetAddress.ofLiteral(plain).getHostAddress();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
