package io.steeprepl.cli.demo;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import java.util.function.BooleanSupplier;

/** One session that works in an office: takes orders, changes prices, ships, keeps notes. Only on rows that are the office's own. */
final class Clerk {
    private static final Duration THINKS = Duration.ofMillis(3);
    private static final String ORDER = """
            WITH p AS (SELECT n, p.product_id, 1 + n %% 3 AS quantity, p.price
                         FROM generate_series(1, ?) n JOIN shop.prices p ON p.product_id = 1 + (? + n * 31) %% %d),
                 o AS (INSERT INTO shop.orders (customer_id, office, status, total, placed_at)
                       SELECT ?, ?, 'new', sum(quantity * price), clock_timestamp() FROM p RETURNING id),
                 l AS (INSERT INTO shop.order_lines SELECT o.id, p.* FROM o, p)
            UPDATE shop.stock SET on_hand = on_hand - 1 WHERE product_id = ?""".formatted(Shop.PRODUCTS);
    private static final String PRICE =
            "UPDATE shop.prices SET price = round(1 + price * ?::numeric, 2), changed_at = clock_timestamp() WHERE product_id = ?";
    private static final String SHIP = "UPDATE shop.orders SET status = 'shipped by ' || ? WHERE id = ?";
    private static final String NOTE =
            "UPDATE shop.notes SET body = left(? || ' called. ' || body, 8000), changed_at = clock_timestamp() WHERE id = ?";
    private static final String NEW_NOTE =
            "INSERT INTO shop.notes (customer_id, body, changed_at) VALUES (?, repeat(? || ' wrote a letter. ', ?), clock_timestamp())";

    private final Office office;
    private final Random random;

    /** A clerk who does the same with the same {@code seed}. */
    Clerk(Office office, long seed) {
        this.office = office;
        this.random = new Random(seed);
    }

    /** Works until told to stop. */
    void work(BooleanSupplier open) throws SQLException, InterruptedException {
        try (Connection connection = office.node().connect()) {
            while (open.getAsBoolean()) {
                office.wrote(act(connection));
                Thread.sleep(THINKS);
            }
        }
    }

    /** One transaction; returns how many rows it wrote. */
    private int act(Connection connection) throws SQLException {
        int dice = random.nextInt(10);
        if (dice < 4) {
            int lines = 1 + random.nextInt(4);
            int product = random.nextInt(Shop.PRODUCTS);
            int own = office.ownId(Shop.PRODUCTS, random);
            return 1 + lines + run(connection, ORDER, lines, product, customer(), office.name(), own);
        } else if (dice < 6) {
            double factor = 0.9 + random.nextInt(20) / 100.0;
            return run(connection, PRICE, factor, office.ownId(Shop.PRODUCTS, random));
        } else if (dice < 7) {
            return run(connection, SHIP, office.name(), office.ownId(Shop.TO_SHIP, random));
        } else if (dice < 9) {
            return run(connection, NOTE, office.name(), office.ownId(Shop.NOTES, random));
        }
        return run(connection, NEW_NOTE, customer(), office.name(), 1 + random.nextInt(200));
    }

    private int customer() {
        return 1 + random.nextInt(Shop.CUSTOMERS);
    }

    private static int run(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}
