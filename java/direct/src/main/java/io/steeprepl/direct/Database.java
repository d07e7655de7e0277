package io.steeprepl.direct;

import io.steeprepl.api.ApiException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/** Runs statements on one connection, each in a transaction of its own unless it is told otherwise, and turns errors into the api's. */
final class Database {
    private static final int ATTEMPTS = 5;
    private static final Duration BETWEEN = Duration.ofMillis(20);

    private final Connection connection;
    private final boolean cancelHolds;
    private volatile @Nullable PreparedStatement running;
    private volatile boolean cancelled;
    private final Set<String> heard = new HashSet<>();

    /** {@code cancelHolds}: a cancel ends all that is still to come, too; else only what runs then. */
    Database(Connection connection, boolean cancelHolds) {
        this.connection = connection;
        this.cancelHolds = cancelHolds;
    }

    Connection connection() {
        return connection;
    }

    /** Makes a value of the current row. */
    @FunctionalInterface
    interface Mapper<T> {
        T map(Row row) throws SQLException;
    }

    /** All rows of a query with bind parameters. */
    <T> List<T> rows(String sql, Mapper<T> mapper, @Nullable Object... parameters) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            begin(statement);
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            List<T> found = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.add(mapper.map(new Row(rows)));
                }
            }
            return found;
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        } finally {
            running = null;
        }
    }

    /** The one row of a query. */
    <T> T row(String sql, Mapper<T> mapper, @Nullable Object... parameters) {
        return Objects.requireNonNull(rows(sql, mapper, parameters).getFirst());
    }

    /** A statement or a function call whose result does not matter. */
    void run(String sql, @Nullable Object... parameters) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            begin(statement);
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            statement.execute();
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        } finally {
            running = null;
        }
    }

    /** Does {@code work} in one transaction: kept when {@code work} says so, taken back when it does not or throws. */
    void transaction(BooleanSupplier work) {
        try {
            connection.setAutoCommit(false);
            if (decided(work)) {
                connection.commit();
            } else {
                connection.rollback();
            }
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        }
    }

    private boolean decided(BooleanSupplier work) {
        try {
            boolean kept = work.getAsBoolean();
            refuseCancelled();
            return kept;
        } catch (RuntimeException e) {
            try {
                connection.rollback();
                connection.setAutoCommit(true);
            } catch (SQLException lost) {
                // Then the server takes it back.
                e.addSuppressed(lost);
            }
            throw e;
        }
    }

    /** Does one step of a transaction; when the server refuses, the step alone is taken back. Other errors are thrown. */
    Optional<ApiException.Failed> attempt(Runnable step) {
        try {
            Savepoint before = connection.setSavepoint();
            try {
                step.run();
                connection.releaseSavepoint(before);
                return Optional.empty();
            } catch (ApiException.Failed e) {
                connection.rollback(before);
                return Optional.of(e);
            }
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        }
    }

    /** Returns when something is said on a channel, or after {@code longest}. What was said before the first call is not heard. */
    void hear(String channel, Duration longest) {
        if (heard.add(channel)) {
            run("LISTEN " + channel);
        }
        try {
            // 0 would be for ever.
            connection.unwrap(PGConnection.class).getNotifications((int) Math.max(1, longest.toMillis()));
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        }
    }

    private void begin(PreparedStatement statement) {
        if (!cancelHolds) {
            cancelled = false;
        }
        running = statement;
        refuseCancelled();
    }

    private void refuseCancelled() {
        if (cancelHolds && cancelled) {
            throw new ApiException.Cancelled("cancelled", null);
        }
    }

    /** Cancels what runs now, and with it what is still to come of the same operation; any thread may call this. */
    void cancel() {
        PreparedStatement statement = running;
        cancelled = cancelHolds || statement != null;
        try {
            // It may not have reached the server yet: then there is nothing to cancel, and it has to be said again.
            for (int i = 0; i < ATTEMPTS && statement != null && statement.equals(running); i++) {
                statement.cancel();
                Thread.sleep(BETWEEN);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            throw Errors.translate(e, true);
        }
    }

    ServerVersion serverVersion() {
        try {
            var facts = connection.getMetaData();
            return new ServerVersion(facts.getDatabaseMajorVersion(), facts.getDatabaseProductVersion());
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        }
    }

    /** Gives the connection up without a word to the server; any thread may call this. */
    void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            throw Errors.translate(e, true);
        }
    }

    void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw Errors.translate(e, cancelled);
        }
    }
}
