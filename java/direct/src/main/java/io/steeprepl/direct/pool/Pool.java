package io.steeprepl.direct.pool;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/** Some connections to one node, each lent to one caller at a time. */
public final class Pool implements AutoCloseable {
    private static final String OWN = "steep-repl daemon";
    private static final String FOR = "steep-repl for ";

    private final HikariDataSource source;

    /**
     * A pool that makes its connections when they are needed, and keeps one in hand.
     *
     * @param size how many there are at most
     * @param timeout how long a caller waits for one
     */
    public Pool(ConnectionSpec spec, Connector connector, int size, Duration timeout) {
        this(() -> DirectSteepRepl.over(connector.connect(spec)), size, timeout);
    }

    /** The same with connections that {@code connect} makes; it may throw {@link ApiException}. */
    public Pool(Supplier<DirectSteepRepl> connect, int size, Duration timeout) {
        var config = new HikariConfig();
        config.setPoolName("node");
        config.setDataSource(new SuppliedConnections(() -> connect.get().connection()));
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(timeout.toMillis());
        config.setValidationTimeout(Math.min(timeout.toMillis(), 2000));
        // The caller has a working connection already; the first one here may come a moment later.
        config.setInitializationFailTimeout(-1);
        source = new HikariDataSource(config);
    }

    /** Lends a connection; closing gives it back. Throws {@link ApiException.CannotConnect}. */
    public SteepRepl open() {
        return open(Optional.empty());
    }

    /**
     * Lends a connection for somebody who asks; closing gives it back. The audit log then names them after the role: this is
     * how the server learns of it ({@code steep_repl._actor}).
     */
    public SteepRepl open(Optional<String> caller) {
        try {
            Connection connection = source.getConnection();
            try {
                // No round trip when it is so already.
                connection.setClientInfo(
                        "ApplicationName", caller.map(FOR::concat).orElse(OWN));
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
            return DirectSteepRepl.lent(connection);
        } catch (SQLException e) {
            throw refusal(e);
        }
    }

    private ApiException refusal(SQLException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApiException.CannotConnect known) {
                return known;
            }
        }
        int busy = source.isClosed() ? 0 : source.getHikariPoolMXBean().getActiveConnections();
        return new ApiException.CannotConnect(
                error.getSQLState(),
                "no connection is free",
                "%d of %d are in use".formatted(busy, source.getMaximumPoolSize()),
                "try again, or raise repl.postgresql.pool_size",
                error);
    }

    /** How many connections are in use now. */
    public int active() {
        return source.getHikariPoolMXBean().getActiveConnections();
    }

    /** How many connections there are now. */
    public int total() {
        return source.getHikariPoolMXBean().getTotalConnections();
    }

    /** How many callers wait for one now. */
    public int waiting() {
        return source.getHikariPoolMXBean().getThreadsAwaitingConnection();
    }

    @Override
    public void close() {
        source.close();
    }
}
