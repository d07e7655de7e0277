package io.steeprepl.daemon.audit;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.WatcherEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Entries for the audit log, in order, held until the database has taken them. Any thread may add. What waits is bounded in
 * number and in size; the oldest go first.
 */
public final class AuditTrail {
    private static final Logger LOG = LoggerFactory.getLogger(AuditTrail.class);
    /** Some hours of everything going wrong. */
    private static final int MOST = 10_000;

    private static final long MOST_BYTES = 4L * 1024 * 1024;
    /** Every so many lost ones are worth a line. */
    private static final int SAY_LOST = 1000;

    private final Deque<Entry> waiting = new ArrayDeque<>();
    private long bytes;
    private long written;
    private long lost;
    private @Nullable String refusal;
    private Instant refusedSince = Instant.EPOCH;

    private enum Outcome {
        WRITTEN,
        /** This entry can never be written; those behind it can. */
        UNWRITABLE,
        /** No entry can be written now. */
        REFUSED
    }

    /** Has an entry written, now or later. */
    public synchronized void add(WatcherEvent event) {
        Entry entry = Entry.of(event);
        waiting.add(entry);
        bytes += entry.bytes();
        while (waiting.size() > MOST || bytes > MOST_BYTES) {
            bytes -= waiting.remove().bytes();
            if (lost++ % SAY_LOST == 0) {
                LOG.warn("too many entries wait for the audit log: {} of them were given up so far", lost);
            }
        }
    }

    /**
     * Writes what waits, for no longer than {@code limit} and the one write that is under way then; the rest is for the
     * next time. Throws {@link ApiException.CannotConnect}; what was not written still waits.
     *
     * @param database writes one, or throws {@link ApiException}
     */
    public void flush(Consumer<WatcherEvent> database, Duration limit) {
        long until = System.nanoTime() + limit.toNanos();
        for (Entry next = first(); next != null && System.nanoTime() - until < 0; next = first()) {
            if (write(database, next) == Outcome.REFUSED) {
                return;
            }
        }
    }

    private Outcome write(Consumer<WatcherEvent> database, Entry entry) {
        try {
            database.accept(entry.event());
            done(entry);
            return Outcome.WRITTEN;
        } catch (ApiException.Failed e) {
            if (isAboutTheValues(e.sqlState())) {
                LOG.error(
                        "an entry for the audit log was given up, the database does not take it: {}: {}",
                        e.message(),
                        entry.event());
                gaveUp(entry);
                return Outcome.UNWRITABLE;
            }
            // No extension, no right: it may come.
            refused(e.message());
        } catch (ApiException.TimedOut e) {
            refused(e.message());
        } catch (ApiException.Cancelled e) {
            refused("the database did not take one in time; is audit_log locked?");
        }
        return Outcome.REFUSED;
    }

    /** data_exception and integrity_constraint_violation: the same entry would be refused for ever. */
    private static boolean isAboutTheValues(@Nullable String sqlState) {
        return sqlState != null && (sqlState.startsWith("22") || sqlState.startsWith("23"));
    }

    private synchronized @Nullable Entry first() {
        return waiting.peek();
    }

    private synchronized void done(Entry entry) {
        remove(entry);
        written++;
        refusal = null;
    }

    private synchronized void gaveUp(Entry entry) {
        remove(entry);
        lost++;
    }

    /** It may have been given up meanwhile. */
    private void remove(Entry entry) {
        if (entry.equals(waiting.peek())) {
            waiting.remove();
            bytes -= entry.bytes();
        }
    }

    /** What waits cannot be written now, for a reason that lies outside of the entries. */
    public synchronized void refused(String message) {
        if (refusal == null) {
            refusedSince = Instant.now();
        }
        if (!message.equals(refusal)) {
            refusal = message;
            LOG.warn("entries for the audit log are kept back: {}", message);
        }
    }

    /** Why entries wait although there is a connection; empty while they do not. */
    public synchronized Optional<String> problem() {
        return refusal == null || waiting.isEmpty()
                ? Optional.empty()
                : Optional.of("%d entries for the audit log are kept back since %s: %s"
                        .formatted(waiting.size(), refusedSince, refusal));
    }

    /** How many entries the database has taken. */
    public synchronized long written() {
        return written;
    }

    /** How many were given up: too many waited, or the database cannot hold their values. */
    public synchronized long lost() {
        return lost;
    }

    /** How many wait. */
    public synchronized int pending() {
        return waiting.size();
    }
}
