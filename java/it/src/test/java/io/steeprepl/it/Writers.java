package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Sessions that write until they are told to stop: each inserts keys of its own and updates only those. */
final class Writers implements AutoCloseable {
    private static final AtomicInteger RANGE = new AtomicInteger(1);

    private final List<Thread> threads = new ArrayList<>();
    private final AtomicInteger written = new AtomicInteger();
    private volatile boolean stop;

    /** Starts one session a node on table t (id, v). */
    static Writers on(TestNode... nodes) {
        Writers writers = new Writers();
        for (TestNode node : nodes) {
            int from = RANGE.getAndIncrement() * 1_000_000;
            writers.threads.add(Thread.ofVirtual().start(() -> writers.write(node, from)));
        }
        return writers;
    }

    private void write(TestNode node, int from) {
        int next = from;
        while (!stop) {
            // A killed server ends the connection; the session comes back as an application would.
            try (Connection connection = node.connect();
                    PreparedStatement insert =
                            connection.prepareStatement("INSERT INTO t VALUES (?, ?) ON CONFLICT DO NOTHING");
                    PreparedStatement update = connection.prepareStatement("UPDATE t SET v = v || '.' WHERE id = ?")) {
                while (!stop) {
                    insert.setInt(1, next);
                    insert.setString(2, node.id());
                    written.addAndGet(insert.executeUpdate());
                    update.setInt(1, from + (next - from) / 2);
                    update.executeUpdate();
                    next++;
                }
            } catch (SQLException e) {
                Thread.onSpinWait();
            }
        }
    }

    /** How many rows have been inserted so far. */
    int written() {
        return written.get();
    }

    /** Whether they have not been told to stop. */
    boolean running() {
        return !stop;
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
