package io.steeprepl.cli.demo;

import java.util.List;

/**
 * What both offices do to the same thing while the line is cut, each without knowing of the other.
 *
 * @param title what it is about
 * @param table where
 * @param column the column by which rows of it are known
 * @param value what stands there
 * @param first who acts first
 * @param second who acts later, and so is to win
 */
record Scene(String title, String table, String column, String value, Act first, Act second) {
    /**
     * What one office does.
     *
     * @param south who
     * @param words what, for people
     * @param sql likewise, for the server
     */
    record Act(boolean south, String words, String sql) {}

    /** The orders and customers of the story as all know them before the cut. */
    static final String[] BEFORE = {
        "UPDATE shop.customers SET name = 'Anna Lindqvist', email = 'anna@example.org' WHERE id = 2001",
        "UPDATE shop.customers SET name = 'Piet Jansen', email = 'piet@example.org' WHERE id = 2002",
        "UPDATE shop.customers SET name = 'Eva Rossi', email = 'eva@example.org' WHERE id = 2003",
        "UPDATE shop.orders SET customer_id = id - 2710, total = (ARRAY[899, 249, 120])[id - 4710] WHERE id BETWEEN 4711 AND 4713",
    };

    static final List<Scene> ALL = List.of(
            new Scene(
                    "Order 4711, Anna Lindqvist: both change it",
                    "orders",
                    "id",
                    "4711",
                    north(
                            "takes 10 % off: 899.00 becomes 809.10",
                            "UPDATE shop.orders SET total = 809.10, status = 'discount given' WHERE id = 4711"),
                    south(
                            "adds express delivery: 899.00 becomes 924.00",
                            "UPDATE shop.orders SET total = 924.00, status = 'express' WHERE id = 4711")),
            new Scene(
                    "Order 4712, Piet Jansen: deleted here, shipped there",
                    "orders",
                    "id",
                    "4712",
                    north("deletes it: no answer from Piet", "DELETE FROM shop.orders WHERE id = 4712"),
                    south("hears from Piet and ships it", "UPDATE shop.orders SET status = 'shipped' WHERE id = 4712")),
            new Scene(
                    "Order 4713, Eva Rossi: changed here, deleted there",
                    "orders",
                    "id",
                    "4713",
                    south(
                            "adds a lamp: 120.00 becomes 169.00",
                            "UPDATE shop.orders SET total = 169.00, status = 'lamp added' WHERE id = 4713"),
                    north("deletes it: Eva has cancelled", "DELETE FROM shop.orders WHERE id = 4713")),
            new Scene(
                    "Customer maria@example.org: both register her; the e-mail is UNIQUE",
                    "customers",
                    "email",
                    "maria@example.org",
                    north(
                            "registers Maria Silva from Porto",
                            "INSERT INTO shop.customers (name, email, city, since)"
                                    + " VALUES ('Maria Silva', 'maria@example.org', 'Porto', '2026-11-20')"),
                    south(
                            "registers Maria da Silva from Lyon",
                            "INSERT INTO shop.customers (name, email, city, since)"
                                    + " VALUES ('Maria da Silva', 'maria@example.org', 'Lyon', '2026-11-20')")));

    private static Act north(String words, String sql) {
        return new Act(false, words, sql);
    }

    private static Act south(String words, String sql) {
        return new Act(true, words, sql);
    }
}
