package io.steeprepl.it.history;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A session of an application on one node, which comes back after its connection broke. */
final class Session implements AutoCloseable {
    private final TestNode node;
    private @Nullable Connection connection;

    Session(TestNode node) {
        this.node = node;
    }

    /** Runs a transaction; each error ends it, as an application would that gives up. */
    void run(Step.Work work, Attempt attempt) {
        boolean committing = false;
        try {
            Connection open = open();
            Writer writer = new Writer(open, attempt);
            for (Operation operation : work.operations()) {
                writer.write(operation);
            }
            if (attempt.drafts.isEmpty() && attempt.truncated.isEmpty()) {
                open.rollback();
                return;
            }
            attempt.transaction = writer.value("SELECT pg_current_xact_id()::text");
            committing = true;
            open.commit();
            attempt.end = Attempt.End.COMMITTED;
        } catch (SQLException e) {
            String state = String.valueOf(e.getSQLState());
            boolean broken = state.startsWith("08") || state.startsWith("57P");
            attempt.ended = Instant.now();
            attempt.end = committing && broken ? Attempt.End.UNKNOWN : Attempt.End.REFUSED;
            attempt.lines.add("  " + state + " "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            rollback(broken);
        }
    }

    private Connection open() throws SQLException {
        if (connection == null || connection.isClosed()) {
            connection = node.connect();
            try (var statement = connection.createStatement()) {
                statement.execute("SET statement_timeout = '15s'");
            }
            connection.setAutoCommit(false);
        }
        return connection;
    }

    private void rollback(boolean broken) {
        try {
            if (connection != null && !broken) {
                connection.rollback();
                return;
            }
        } catch (SQLException e) {
            // It is broken after all: the next transaction gets a new one.
        }
        close();
    }

    @Override
    public void close() {
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
