package io.steeprepl.daemon.audit;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.DirectEvents;
import io.steeprepl.direct.WatcherEvent;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Entries for the audit log, in order, held until the database has taken them. Any thread may add. */
public final class AuditTrail {
    private static final Logger LOG = LoggerFactory.getLogger(AuditTrail.class);
    /** Some hours of everything going wrong; then the oldest go. */
    private static final int MOST = 10_000;

    private final Deque<WatcherEvent> waiting = new ArrayDeque<>();
    private long written;
    private long lost;
    private @Nullable String refusal;

    /** Has an entry written, now or later. */
    public synchronized void add(WatcherEvent event) {
        waiting.add(event);
        if (waiting.size() > MOST) {
            waiting.poll();
            lost++;
        }
    }

    /** Writes what waits. Throws {@link ApiException.CannotConnect}; what was not written still waits. */
    public void flush(DirectEvents database) {
        for (WatcherEvent next = first(); next != null; next = first()) {
            try {
                database.write(next);
                done(next);
            } catch (ApiException.Failed e) {
                // No extension, no right: it may come.
                refused(e.message());
                return;
            }
        }
    }

    private synchronized @Nullable WatcherEvent first() {
        return waiting.peek();
    }

    private synchronized void done(WatcherEvent event) {
        waiting.remove(event);
        written++;
        refusal = null;
    }

    private synchronized void refused(String message) {
        if (!message.equals(refusal)) {
            refusal = message;
            LOG.warn("entries for the audit log are kept back: {}", message);
        }
    }

    /** How many entries the database has taken. */
    public synchronized long written() {
        return written;
    }

    /** How many were given up because too many waited. */
    public synchronized long lost() {
        return lost;
    }

    /** How many wait. */
    public synchronized int pending() {
        return waiting.size();
    }
}
