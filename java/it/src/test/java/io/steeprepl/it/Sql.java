package io.steeprepl.it;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import java.sql.SQLException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Helpers for tests that speak SQL. */
final class Sql {
    private Sql() {}

    /** The error that a statement must raise, as {@code SQLSTATE message / detail}. */
    static String error(TestNode node, String sql) {
        try {
            node.execute(sql);
        } catch (TestkitException e) {
            if (e.getCause() instanceof PSQLException p && p.getServerErrorMessage() != null) {
                ServerErrorMessage message = p.getServerErrorMessage();
                return p.getSQLState() + " " + message.getMessage() + " / " + message.getDetail();
            }
            if (e.getCause() instanceof SQLException p) {
                return p.getSQLState() + " " + p.getMessage();
            }
            throw e;
        }
        return "no error";
    }

    /** Waits until a table replicates on all nodes. */
    static void awaitReady(Cluster cluster, String table) {
        String state = "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = '" + table + "'";
        cluster.nodes().forEach(node -> await(node, state, "ready"));
    }

    /** Waits until a query gives the expected first row. */
    static void await(TestNode node, String sql, String expected) {
        String[] last = {""};
        Awaitility.await("«" + sql + "» to give " + expected + " on " + node.id())
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(100))
                .ignoreExceptions()
                .until(() -> {
                    last[0] = node.query(sql);
                    return last[0].equals(expected);
                });
    }

    /** Waits until a link streams. */
    static void awaitStreaming(TestNode node, String peer) {
        await(node, "SELECT state FROM steep_repl.subscription_status() WHERE peer = '" + peer + "'", "streaming");
    }
}
