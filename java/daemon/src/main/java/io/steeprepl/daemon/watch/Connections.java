package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.repl.DatabaseSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.ServerVersion;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import io.steeprepl.direct.pool.Pool;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon's connections: the one that looks, the pool for requests, and those of parts that must wait for nobody. They all
 * lead to the server that the first one has found. The loop makes and gives up; any thread may ask for what there is.
 */
final class Connections implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Watch.class);

    private final Supplier<ConnectionSpec> spec;
    private final Connector connector;
    private final Supplier<ReplSettings> settings;
    private final List<Aside> asides = new CopyOnWriteArrayList<>();

    private volatile @Nullable DirectSteepRepl watching;
    private volatile @Nullable Way way;
    private volatile @Nullable Pool pool;

    Connections(Supplier<ConnectionSpec> spec, Connector connector, Supplier<ReplSettings> settings) {
        this.spec = spec;
        this.connector = connector;
        this.settings = settings;
    }

    /** The one that looks, made anew when there is none. Throws {@link ApiException} and {@link Refusal}. */
    DirectSteepRepl reach() {
        DirectSteepRepl known = watching;
        if (known != null) {
            return known;
        }
        ReplSettings now = settings.get();
        ConnectionSpec servers = spec.get();
        Connector.Reached reached = connector.reach(servers);
        DirectSteepRepl open = DirectSteepRepl.over(reached.connection());
        try {
            ServerVersion version = open.serverVersion();
            if (!version.supported()) {
                throw new Refusal(
                        version.text(),
                        "the server is PostgreSQL %s, and steep-repl needs %d or newer: no replication here"
                                .formatted(version.text(), ServerVersion.OLDEST));
            }
            Way found = new Way(
                    servers.only(reached.server()),
                    reached.server(),
                    connector,
                    now.nodeId(),
                    now.database().checkTimeout());
            found.check(open);
            Way before = way;
            if (before != null && !before.server().equals(found.server())) {
                giveUp();
            }
            way = found;
            watching = open;
            return open;
        } catch (RuntimeException e) {
            open.abort();
            throw e;
        }
    }

    /** Throws {@link Refusal} when the database has become another node than the file says. */
    void check(DirectSteepRepl open, Optional<String> is) {
        Way known = way;
        if (known != null) {
            known.check(open, is);
        }
    }

    /** From now on there are connections for requests. */
    void serve() {
        Way known = way;
        if (pool == null && known != null) {
            DatabaseSettings database = settings.get().database();
            pool = new Pool(known::connect, database.poolSize(), database.poolTimeout());
        }
    }

    Optional<Pool> pool() {
        return Optional.ofNullable(pool);
    }

    Optional<DirectSteepRepl> watching() {
        return Optional.ofNullable(watching);
    }

    /** One more that is given up with the others. */
    Aside aside() {
        var made = new Aside(this::beside);
        asides.add(made);
        return made;
    }

    private DirectSteepRepl beside() {
        Way known = way;
        if (known == null || pool == null) {
            throw new ApiException.CannotConnect(
                    null, "the daemon has no connection to its database", null, "see its log", null);
        }
        return known.connect();
    }

    /** Gives up the one that looks, and no other: it alone has failed. */
    void drop() {
        DirectSteepRepl old = watching;
        watching = null;
        abort(old);
    }

    /** Gives all of them up: there is no server any more, or it is not ours. */
    void giveUp() {
        Pool old = pool;
        DirectSteepRepl open = watching;
        pool = null;
        watching = null;
        way = null;
        // Not here: a server that does not answer holds up its closing.
        Thread.ofVirtual().name("close").start(() -> {
            abort(open);
            asides.forEach(Aside::drop);
            if (old != null) {
                old.close();
            }
        });
    }

    private static void abort(@Nullable DirectSteepRepl connection) {
        if (connection != null) {
            try {
                connection.abort();
            } catch (ApiException e) {
                LOG.debug("giving a connection up: {}", e.message());
            }
        }
    }

    @Override
    public void close() {
        asides.forEach(Aside::close);
        abort(watching);
        Pool old = pool;
        if (old != null) {
            old.close();
        }
    }
}
