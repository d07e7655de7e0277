package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Health;
import io.steeprepl.api.Node;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.SubscriptionStatus;
import io.steeprepl.config.repl.DatabaseSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.watch.DatabaseState.Status;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import io.steeprepl.direct.pool.Pool;
import io.steeprepl.remote.Caller;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop that looks at the database again and again: whether it is there, which {@code SELECT 1} decides and nothing else,
 * and then how the node is.
 */
public final class Watch implements AutoCloseable {
    /** As rows, as objects, as JSON and as text it takes several times that, for each who asks, and the heap is small. */
    private static final int LARGEST_RESULT = 4 * 1024 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Watch.class);
    /** More servers than anybody names in one connection. */
    private static final int SERVERS = 8;
    /** More than a round takes of itself. */
    private static final Duration HANGS = Duration.ofMinutes(1);
    /** For the end of it: what waits for the audit log then. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(3);

    private final Supplier<ReplSettings> settings;
    private final AuditTrail audit;
    private final Transitions transitions;
    private final Connections connections;
    private final ConflictCounts counts;
    private final Pulse pulse;
    private final Backoff backoff = new Backoff();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;
    private final Pruning pruning;

    private volatile View view = View.nothing(Instant.now());

    /** Begins to watch; the first connection is made at once, and need not work. */
    public Watch(Supplier<ReplSettings> settings, Supplier<ConnectionSpec> spec, Events events, AuditTrail audit) {
        this.settings = settings;
        this.audit = audit;
        this.transitions = new Transitions(events, audit);
        var connector =
                new Connector(new PasswordCommand(() -> settings.get().database()), LOG::warn).limited(LARGEST_RESULT);
        this.connections = new Connections(spec, connector, settings);
        this.counts = new ConflictCounts(connections.aside());
        this.pulse = new Pulse(() -> settings.get().database(), System::nanoTime);
        this.pruning = new Pruning(() -> settings.get().audit(), this::open);
        this.thread = Thread.ofVirtual().name("watch").start(this::run);
    }

    /** What was seen last; when that is longer ago than it may be, that nothing is known any more. */
    public View view() {
        View last = view;
        return last.database().connected()
                ? pulse.silence().map(silence -> lost(last, silence)).orElse(last)
                : last;
    }

    private static View lost(View last, Duration silence) {
        String why = "the daemon has not looked at the database for %d s: its loop stands still"
                .formatted(silence.toSeconds());
        DatabaseState before = last.database();
        return last.in(last.at(), new DatabaseState(Status.DISCONNECTED, last.at(), before.serverVersion(), why));
    }

    /** A connection for one request, in the name of who asks; closing gives it back. Throws {@link ApiException.CannotConnect}. */
    public SteepRepl open() {
        return connections
                .pool()
                .orElseThrow(() -> new ApiException.CannotConnect(
                        null,
                        "the daemon has no connection to its database",
                        String.join("\n", view.reasons()),
                        "see its log",
                        null))
                .open(Caller.current());
    }

    /** The connections for requests, while there are any. */
    public Optional<Pool> pool() {
        return connections.pool();
    }

    /** A connection for a part of the daemon that must not wait for requests. */
    public Aside aside() {
        return connections.aside();
    }

    /** Whether the loop goes round; false when it has hung for longer than anything in it may take. */
    public boolean alive() {
        DatabaseSettings database = settings.get().database();
        Duration longest = HANGS.plus(database.checkTimeout())
                .plus(database.reconnectMax())
                .plus(database.passwordTimeout())
                .plus(database.connectTimeout().multipliedBy(SERVERS));
        return pulse.sinceStep().compareTo(longest) < 0;
    }

    private void run() {
        Duration pause = Duration.ZERO;
        try {
            while (!ending.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                pause = step();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Duration step() {
        pulse.step();
        DatabaseSettings database = settings.get().database();
        try {
            DirectSteepRepl open = connections.reach();
            Deadline.within(database.checkTimeout(), Deadline.doing(open::ping), open::abort);
            return look(open, database);
        } catch (Refusal e) {
            gone(Status.REFUSED, e.version(), String.valueOf(e.getMessage()));
            return database.reconnectMax();
        } catch (ApiException e) {
            return failed(database, e.detail() == null ? e.message() : e.message() + ": " + e.detail());
        } catch (RuntimeException | Error e) {
            // Without this loop nobody would know anything any more.
            LOG.error("looking at the database failed", e);
            return failed(database, "looking at it failed: " + e);
        }
    }

    private Duration failed(DatabaseSettings database, String why) {
        gone(Status.DISCONNECTED, null, why);
        return pause(database);
    }

    private Duration pause(DatabaseSettings database) {
        return backoff.next(
                database.reconnectMin(),
                database.reconnectMax(),
                ThreadLocalRandom.current().nextDouble());
    }

    /** The database is there: how is the node? With the first look the work is taken up. */
    private Duration look(DirectSteepRepl open, DatabaseSettings database) {
        View before = view;
        Instant now = Instant.now();
        View there = before.in(
                now,
                before.database().connected()
                        ? before.database()
                        : new DatabaseState(
                                Status.CONNECTED, now, open.serverVersion().text(), null));
        boolean lost = false;
        View after;
        try {
            after = Deadline.within(
                    database.checkTimeout(), () -> read(open, there, counts.last()), open::cancel, open::abort);
        } catch (ApiException.TimedOut e) {
            after = there.late(e.message(), now);
        } catch (ApiException.CannotConnect e) {
            // Whether the database is gone, too, shows when another connection is made.
            connections.drop();
            lost = true;
            after = there.late(e.message(), now);
        }
        Health health = after.health();
        if (after.current() && health != null) {
            connections.check(open, Optional.ofNullable(health.nodeId()));
        }
        connections.serve();
        view = after;
        pulse.looked();
        transitions.seen(before, after);
        if (lost) {
            return pause(database);
        }
        backoff.reset();
        flush(open, database);
        counts.whenDue(database.checkInterval());
        if (after.current()) {
            pruning.whenDue();
        }
        return database.checkInterval();
    }

    private static View read(DirectSteepRepl open, View there, Counts counts) {
        try {
            // Health last: it says why a node is unavailable, and must know of all that the list has.
            List<Node> nodes = open.nodes().list();
            List<SubscriptionStatus> links = open.subscriptions().list();
            return new View(
                    there.at(), there.at(), there.database(), open.health().get(), nodes, links, counts, null);
        } catch (ApiException.Failed e) {
            return there.refused(e.message(), there.at());
        }
    }

    private void flush(DirectSteepRepl open, DatabaseSettings database) {
        if (audit.pending() == 0) {
            return;
        }
        Duration limit = Pulse.flush(database);
        try {
            Deadline.within(
                    limit,
                    Deadline.doing(() -> audit.flush(open.events()::write, limit.dividedBy(2))),
                    open::cancel,
                    open::abort);
        } catch (ApiException.TimedOut e) {
            audit.refused(e.message());
        } catch (ApiException.CannotConnect e) {
            connections.drop();
        }
    }

    private void gone(Status status, @Nullable String version, String error) {
        connections.giveUp();
        View before = view;
        Instant now = Instant.now();
        boolean same = before.database().status() == status;
        String known = version == null ? before.database().serverVersion() : version;
        view = before.in(now, new DatabaseState(status, same ? before.database().since() : now, known, error));
        transitions.seen(before, view);
    }

    /** Ends the loop, writes what the audit log still has to get, and closes the connections. */
    @Override
    public void close() {
        ending.countDown();
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        connections.watching().ifPresent(open -> {
            try {
                Deadline.within(
                        LAST_WORDS,
                        Deadline.doing(() -> {
                            audit.flush(open.events()::write, LAST_WORDS);
                            open.close();
                        }),
                        open::abort);
            } catch (ApiException e) {
                LOG.debug("the last words were not written", e);
            }
        });
        if (audit.pending() > 0) {
            LOG.warn("{} entries for the audit log were not written", audit.pending());
        }
        connections.close();
    }
}
