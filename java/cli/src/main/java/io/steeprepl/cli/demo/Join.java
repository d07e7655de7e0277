package io.steeprepl.cli.demo;

import io.steeprepl.testkit.TestkitException;
import java.time.Duration;
import java.util.List;

/**
 * What it took to replicate the shop's tables.
 *
 * @param rows how many rows were copied to the second office
 * @param time how long that took, until both could write
 */
record Join(long rows, Duration time) {
    private static final String OPEN =
            "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state <> 'ready' OR table_schema <> 'shop'";
    private static final String STATES =
            "SELECT table_name, state, reason FROM steep_repl.replicated_tables() ORDER BY table_name";

    /** Adds all tables with one call on {@code first} and waits until they replicate both ways. */
    static Join of(Office first, Office second) {
        first.node()
                .execute("ALTER DATABASE \"%s\" SET steep_repl.default_range_size = %d"
                        .formatted(first.node().database(), Shop.RANGE));
        long begin = System.nanoTime();
        List<String> refused = first.node()
                .rows("SELECT table_name, reason FROM steep_repl.add_tables('shop') WHERE state = 'refused'");
        if (!refused.isEmpty()) {
            throw new TestkitException("tables were refused: " + refused);
        }
        Wait.until(
                () -> ready(first) && ready(second),
                () -> "the tables were not taken over: " + first.node().rows(STATES) + " "
                        + second.node().rows(STATES));
        return new Join(rows(second), Wait.since(begin));
    }

    private static boolean ready(Office office) {
        if (!office.node()
                .query("SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'failed'")
                .equals("0")) {
            throw new TestkitException(
                    "a table could not be taken over: " + office.node().rows(STATES));
        }
        return office.node().query(OPEN).equals("0")
                && office.node()
                        .query("SELECT count(*) FROM steep_repl.replicated_tables()")
                        .equals(Integer.toString(Shop.TABLES.size()))
                && office.node()
                        .query("SELECT bool_and(state = 'streaming') FROM steep_repl.subscription_status()")
                        .equals("t");
    }

    /** How many rows an office has. */
    static long rows(Office office) {
        String counts = String.join(
                " + ",
                Shop.TABLES.stream()
                        .map(t -> "(SELECT count(*) FROM shop." + t + ")")
                        .toList());
        return Long.parseLong(office.node().query("SELECT " + counts));
    }
}
