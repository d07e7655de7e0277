package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sessions that write the same rows on several nodes: new orders with ids from ranges, changes and deletions of items, sales from a
 * stock whose differences are added up, so that what is applied twice, or not, shows.
 */
final class ShopLoad implements AutoCloseable {
    static final List<String> TABLES = List.of("item", "orders", "stock");

    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final ConcurrentHashMap<String, AtomicInteger> written = new ConcurrentHashMap<>();
    private volatile boolean stop;

    static void tables(List<TestNode> nodes) {
        nodes.forEach(node -> node.execute(
                "CREATE TABLE item (id int PRIMARY KEY, v text)",
                "CREATE TABLE orders (id bigserial PRIMARY KEY, made_on text)",
                "CREATE TABLE stock (id int PRIMARY KEY, on_hand int NOT NULL)"));
        TestNode a = nodes.getFirst();
        a.execute(
                "INSERT INTO item SELECT i, 'first' FROM generate_series(1, 300) i",
                "INSERT INTO stock SELECT i, 100000 FROM generate_series(1, 20) i");
        a.execute(
                "SET steep_repl.default_range_size = 100; SELECT steep_repl.add_table(t) FROM unnest('{item,orders,stock}'::regclass[]) t");
        nodes.forEach(node ->
                Sql.await(node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'ready'", "3"));
        a.execute("SELECT steep_repl.set_conflict_strategy('stock', 'last_write_wins', delta_columns => '{on_hand}')");
        nodes.forEach(node ->
                Sql.await(node, "SELECT delta_columns FROM steep_repl.tables WHERE table_name = 'stock'", "{on_hand}"));
    }

    ShopLoad on(TestNode... nodes) {
        for (TestNode node : nodes) {
            threads.add(Thread.ofVirtual().start(() -> write(node)));
        }
        return this;
    }

    private void write(TestNode node) {
        Random random = new Random(node.id().hashCode());
        AtomicInteger count = written.computeIfAbsent(node.id(), id -> new AtomicInteger());
        while (!stop) {
            try (Connection connection = node.connect();
                    var statement = connection.createStatement()) {
                while (!stop) {
                    // What one node writes at its fastest, three together do not apply on two processors.
                    Thread.sleep(5);
                    int id = 1 + random.nextInt(300);
                    statement.execute("INSERT INTO orders (made_on) VALUES ('" + node.id() + "')");
                    statement.execute("UPDATE item SET v = '" + node.id() + count + "' WHERE id = " + id);
                    statement.execute("UPDATE stock SET on_hand = on_hand - 1 WHERE id = " + (1 + id % 20));
                    if (count.incrementAndGet() % 7 == 0) {
                        statement.execute("DELETE FROM item WHERE id = " + (1 + random.nextInt(300)));
                        statement.execute("INSERT INTO item VALUES (" + id + ", 'again') ON CONFLICT DO NOTHING");
                    }
                }
            } catch (SQLException e) {
                Thread.onSpinWait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    int written(TestNode node) {
        AtomicInteger count = written.get(node.id());
        return count == null ? 0 : count.get();
    }

    /** Waits until a node has written so much more. */
    void await(TestNode node, int more) {
        int until = written(node) + more;
        org.awaitility.Awaitility.await(more + " more writes on " + node.id())
                .atMost(java.time.Duration.ofSeconds(60))
                .until(() -> written(node) >= until);
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
