package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.repl.AuditSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes old entries of the audit log by schedule. */
final class Pruning {
    private static final Logger LOG = LoggerFactory.getLogger(Pruning.class);
    /** A daemon that is started again and again must not prune each time: pruning is audited itself. */
    private static final Duration FIRST = Duration.ofMinutes(5);

    private final Supplier<AuditSettings> settings;
    private final Supplier<SteepRepl> open;
    private final Instant begun = Instant.now();
    private Instant last = Instant.EPOCH;

    Pruning(Supplier<AuditSettings> settings, Supplier<SteepRepl> open) {
        this.settings = settings;
        this.open = open;
    }

    /** Prunes beside the caller, when it is time. */
    void whenDue() {
        Duration interval = settings.get().pruneInterval();
        Instant now = Instant.now();
        Instant due = last.equals(Instant.EPOCH)
                ? begun.plus(interval.compareTo(FIRST) < 0 ? interval : FIRST)
                : last.plus(interval);
        if (now.isBefore(due)) {
            return;
        }
        last = now;
        Thread.ofVirtual().name("prune").start(this::prune);
    }

    private void prune() {
        try (SteepRepl node = open.get()) {
            long removed = node.audit().prune(settings.get().retention());
            LOG.info("removed {} entries of the audit log", removed);
        } catch (ApiException e) {
            LOG.warn("the audit log was not pruned: {}", e.message());
        }
    }
}
