package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.repl.AuditSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes old entries of the audit log by schedule. */
final class Pruning {
    private static final Logger LOG = LoggerFactory.getLogger(Pruning.class);
    /** A daemon that is started again and again must not prune each time: pruning is audited itself. */
    private static final Duration FIRST = Duration.ofMinutes(5);

    /** After a failure, such as that all connections were in use. */
    private static final Duration AGAIN = Duration.ofHours(1);

    private final Supplier<AuditSettings> settings;
    private final Supplier<SteepRepl> open;
    private final AtomicBoolean running = new AtomicBoolean();
    private Duration interval;
    private volatile Instant due;
    private @Nullable String failure;

    Pruning(Supplier<AuditSettings> settings, Supplier<SteepRepl> open) {
        this.settings = settings;
        this.open = open;
        this.due = Instant.now().plus(shorter(settings.get().pruneInterval(), FIRST));
        this.interval = settings.get().pruneInterval();
    }

    /** Prunes beside the caller, when it is time. */
    void whenDue() {
        Duration now = settings.get().pruneInterval();
        if (!now.equals(interval)) {
            // Set anew: what was to be in a month may be wanted today.
            interval = now;
            due = earlier(due, Instant.now().plus(now));
        }
        if (!Instant.now().isBefore(due) && running.compareAndSet(false, true)) {
            Thread.ofVirtual().name("prune").start(this::prune);
        }
    }

    private void prune() {
        Duration next = shorter(settings.get().pruneInterval(), AGAIN);
        try (SteepRepl node = open.get()) {
            long removed = node.audit().prune(settings.get().retention());
            LOG.info("removed {} entries of the audit log", removed);
            next = settings.get().pruneInterval();
            failure = null;
        } catch (ApiException e) {
            if (!e.message().equals(failure)) {
                failure = e.message();
                LOG.warn("the audit log was not pruned: {}", e.message());
            }
        } catch (RuntimeException e) {
            LOG.error("pruning the audit log failed", e);
        } finally {
            due = Instant.now().plus(next);
            running.set(false);
        }
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }
}
