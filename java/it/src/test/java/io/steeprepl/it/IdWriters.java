package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Sessions that insert into orders until they are told to stop, and note every id that a COMMIT has acknowledged. */
final class IdWriters implements AutoCloseable {
    private final Queue<Long> ids = new ConcurrentLinkedQueue<>();
    private final Queue<String> refused = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stop;

    /** Starts so many sessions on each node. */
    static IdWriters on(int sessions, TestNode... nodes) {
        IdWriters writers = new IdWriters();
        for (TestNode node : nodes) {
            for (int session = 0; session < sessions; session++) {
                writers.threads.add(Thread.ofVirtual().start(() -> writers.write(node)));
            }
        }
        return writers;
    }

    private void write(TestNode node) {
        while (!stop) {
            // A killed server ends the connection; the session comes back as an application would.
            try (Connection connection = node.connect();
                    PreparedStatement insert =
                            connection.prepareStatement("INSERT INTO orders (who) VALUES (?) RETURNING id")) {
                insert.setString(1, node.id());
                while (!stop) {
                    try (ResultSet row = insert.executeQuery()) {
                        row.next();
                        ids.add(row.getLong(1));
                    }
                }
            } catch (TestkitException e) {
                // Its port is not known while it is being started.
                Thread.onSpinWait();
            } catch (SQLException e) {
                // A server that goes down or comes up says 57P0x, the driver 08xxx.
                String state = String.valueOf(e.getSQLState());
                if (!state.startsWith("08") && !state.startsWith("57")) {
                    refused.add(node.id() + ": " + state + " " + e.getMessage());
                }
            }
        }
    }

    /** The ids that have been acknowledged so far. */
    List<Long> ids() {
        return List.copyOf(ids);
    }

    /** What insertions were refused with, by servers that were up. */
    List<String> refused() {
        return List.copyOf(refused);
    }

    /** The ids that were acknowledged more than once. */
    Set<Long> twice() {
        Set<Long> seen = new HashSet<>();
        Set<Long> twice = new HashSet<>();
        ids.stream().filter(id -> !seen.add(id)).forEach(twice::add);
        return twice;
    }

    @Override
    public void close() {
        stop = true;
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
