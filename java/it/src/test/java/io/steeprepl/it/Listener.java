package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;

/** Hears what a node notifies on a channel. */
public final class Listener implements AutoCloseable {
    private static final int PATIENCE_MS = 60_000;

    private final Connection connection;

    private Listener(Connection connection) {
        this.connection = connection;
    }

    /** From now on. */
    public static Listener on(TestNode node, String channel) throws SQLException {
        Connection connection = node.connect();
        try (Statement statement = connection.createStatement()) {
            statement.execute("LISTEN " + channel);
        }
        return new Listener(connection);
    }

    /** The payloads of the next so many notifications; fewer when no more come. */
    public List<String> hear(int count) throws SQLException {
        List<String> heard = new ArrayList<>();
        while (heard.size() < count) {
            var notifications = connection.unwrap(PGConnection.class).getNotifications(PATIENCE_MS);
            if (notifications == null || notifications.length == 0) {
                break;
            }
            for (var notification : notifications) {
                heard.add(notification.getParameter());
            }
        }
        return heard;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
