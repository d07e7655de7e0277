package io.steeprepl.it.history;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks at a node over a connection of its own; the tables themselves, not their indexes. */
final class Eye implements AutoCloseable {
    private final TestNode node;
    private @Nullable Connection connection;

    Eye(TestNode node) {
        this.node = node;
    }

    /** What a row of a result becomes. */
    interface Reader<T> {
        T read(java.sql.ResultSet row) throws SQLException;
    }

    synchronized <T> List<T> rows(String sql, Reader<T> reader) throws SQLException {
        try (var statement = open().createStatement();
                var result = statement.executeQuery(sql)) {
            List<T> rows = new ArrayList<>();
            while (result.next()) {
                rows.add(reader.read(result));
            }
            return rows;
        } catch (SQLException e) {
            close();
            throw e;
        }
    }

    synchronized @Nullable String value(String sql) throws SQLException {
        return rows(sql, row -> java.util.Optional.ofNullable(row.getString(1))).stream()
                .findFirst()
                .flatMap(v -> v)
                .orElse(null);
    }

    synchronized void execute(String sql) throws SQLException {
        try (var statement = open().createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            close();
            throw e;
        }
    }

    /** Whether the node answers. */
    boolean sees() {
        try {
            return "1".equals(value("SELECT 1"));
        } catch (SQLException e) {
            return false;
        }
    }

    private Connection open() throws SQLException {
        if (connection == null || connection.isClosed()) {
            connection = node.connect();
            try (var statement = connection.createStatement()) {
                statement.execute(
                        "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET statement_timeout = '60s'");
            }
        }
        return connection;
    }

    @Override
    public synchronized void close() {
        Connection old = connection;
        connection = null;
        try {
            if (old != null) {
                old.close();
            }
        } catch (SQLException e) {
            // The server is gone, and the connection with it.
        }
    }
}
