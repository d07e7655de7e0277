package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Health;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.repl.DatabaseSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.watch.DatabaseState.Status;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.ServerVersion;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import io.steeprepl.direct.pool.Pool;
import io.steeprepl.remote.Caller;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a connection to the database and looks at it again and again. There is no other place that notices that the
 * database is gone or back.
 */
public final class Watch implements AutoCloseable {
    /** As rows, as objects, as JSON and as text it takes several times that, for each who asks, and the heap is small. */
    private static final int LARGEST_RESULT = 4 * 1024 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Watch.class);
    /** Counting conflicts reads the whole log of them, so not each time. */
    private static final int COUNT_EVERY = 5;
    /** More servers than anybody names in one connection. */
    private static final int SERVERS = 8;
    /** More than a round takes of itself. */
    private static final Duration HANGS = Duration.ofMinutes(1);

    private final Supplier<ReplSettings> settings;
    private final Supplier<ConnectionSpec> spec;
    private final AuditTrail audit;
    private final Transitions transitions;
    private final Connector connector;
    private final Backoff backoff = new Backoff();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;
    private final Pruning pruning;

    private volatile Instant stepped = Instant.now();
    private volatile View view = View.nothing(Instant.now());
    private volatile @Nullable DirectSteepRepl node;
    private volatile @Nullable Pool pool;
    private long looks;

    /** Begins to watch; the first connection is made at once, and need not work. */
    public Watch(Supplier<ReplSettings> settings, Supplier<ConnectionSpec> spec, Events events, AuditTrail audit) {
        this.settings = settings;
        this.spec = spec;
        this.audit = audit;
        this.transitions = new Transitions(events, audit);
        this.connector =
                new Connector(new PasswordCommand(() -> settings.get().database()), LOG::warn).limited(LARGEST_RESULT);
        this.pruning = new Pruning(() -> settings.get().audit(), this::open);
        this.thread = Thread.ofVirtual().name("watch").start(this::run);
    }

    /** What was seen last. */
    public View view() {
        return view;
    }

    /** A connection for one request, in the name of who asks; closing gives it back. Throws {@link ApiException.CannotConnect}. */
    public SteepRepl open() {
        Pool open = pool;
        if (open == null) {
            throw new ApiException.CannotConnect(
                    null,
                    "the daemon has no connection to its database",
                    String.join("\n", view.reasons()),
                    "see its log",
                    null);
        }
        return open.open(Caller.current());
    }

    /** The connections for requests, while there are any. */
    public Optional<Pool> pool() {
        return Optional.ofNullable(pool);
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

    /** Whether the loop goes round; false when it has hung for longer than anything in it may take. */
    public boolean alive() {
        DatabaseSettings database = settings.get().database();
        Duration longest = HANGS.plus(database.checkTimeout())
                .plus(database.reconnectMax())
                .plus(database.passwordTimeout())
                .plus(database.connectTimeout().multipliedBy(SERVERS));
        return Instant.now().isBefore(stepped.plus(longest));
    }

    private Duration step() {
        stepped = Instant.now();
        DatabaseSettings database = settings.get().database();
        try {
            DirectSteepRepl open = node;
            if (open == null) {
                open = connect();
            }
            look(open, database.checkTimeout());
            backoff.reset();
            return database.checkInterval();
        } catch (Refusal e) {
            gone(Status.REFUSED, e.version, String.valueOf(e.getMessage()));
            return database.reconnectMax();
        } catch (ApiException e) {
            return failed(database, e.detail() == null ? e.message() : e.message() + ": " + e.detail());
        } catch (RuntimeException e) {
            LOG.error("looking at the database failed", e);
            return failed(database, "looking at it failed: " + e);
        }
    }

    private Duration failed(DatabaseSettings database, String why) {
        gone(Status.DISCONNECTED, null, why);
        return backoff.next(
                database.reconnectMin(),
                database.reconnectMax(),
                ThreadLocalRandom.current().nextDouble());
    }

    private DirectSteepRepl connect() {
        DirectSteepRepl open = DirectSteepRepl.connect(spec.get(), connector);
        ServerVersion version = open.serverVersion();
        if (!version.supported()) {
            open.close();
            throw new Refusal(
                    version.text(),
                    "the server is PostgreSQL %s, and steep-repl needs %d or newer: no replication here"
                            .formatted(version.text(), ServerVersion.OLDEST));
        }
        node = open;
        return open;
    }

    /** Looks, and with the first look that succeeds takes up the work. */
    private void look(DirectSteepRepl open, Duration limit) {
        boolean count = looks++ % COUNT_EVERY == 0;
        View before = view;
        View seen = Deadline.within(limit, () -> look(open, before, count), open::abort);
        checkIdentity(seen);
        if (pool == null) {
            DatabaseSettings database = settings.get().database();
            pool = new Pool(spec.get(), connector, database.poolSize(), database.poolTimeout());
        }
        view = seen;
        transitions.seen(before, seen);
        audit.flush(open.events()::write, Duration.ofSeconds(3));
        if (seen.health() != null) {
            pruning.whenDue();
        }
    }

    private static View look(DirectSteepRepl open, View before, boolean count) {
        Instant now = Instant.now();
        DatabaseState state = before.database().connected()
                ? before.database()
                : new DatabaseState(Status.CONNECTED, now, open.serverVersion().text(), null);
        try {
            Health health = open.health().get();
            return new View(
                    now,
                    state,
                    health,
                    open.nodes().list(),
                    open.subscriptions().list(),
                    count || !before.database().connected() ? open.conflicts().stats() : before.conflicts(),
                    null);
        } catch (ApiException.Failed | ApiException.TimedOut e) {
            return before.in(now, state).with(e.message(), now);
        }
    }

    private void checkIdentity(View seen) {
        Optional<String> wanted = settings.get().nodeId();
        Health health = seen.health();
        String is = health == null ? null : health.nodeId();
        if (wanted.isPresent() && is != null && !wanted.get().equals(is)) {
            throw new Refusal(
                    seen.database().serverVersion(),
                    "the database is node %s, and repl.node_id says %s".formatted(is, wanted.get()));
        }
    }

    private void gone(Status status, @Nullable String version, String error) {
        Pool old = pool;
        DirectSteepRepl connection = node;
        pool = null;
        node = null;
        Thread.ofVirtual().name("close").start(() -> {
            if (connection != null) {
                connection.abort();
            }
            if (old != null) {
                old.close();
            }
        });
        View before = view;
        Instant now = Instant.now();
        boolean same = before.database().status() == status;
        String known = version == null ? before.database().serverVersion() : version;
        view = before.in(now, new DatabaseState(status, same ? before.database().since() : now, known, error));
        transitions.seen(before, view);
    }

    /** There is a server, and this daemon must leave it alone. */
    private static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final @Nullable String version;

        Refusal(@Nullable String version, String message) {
            super(message);
            this.version = version;
        }
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
        Pool old = pool;
        DirectSteepRepl open = node;
        if (open != null) {
            try {
                Deadline.within(
                        Duration.ofSeconds(3),
                        () -> {
                            audit.flush(open.events()::write, Duration.ofSeconds(3));
                            open.close();
                            return true;
                        },
                        open::abort);
            } catch (ApiException e) {
                LOG.warn("{} entries for the audit log were not written: {}", audit.pending(), e.message());
            }
        }
        if (old != null) {
            old.close();
        }
    }
}
