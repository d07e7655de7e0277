package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Output;
import java.util.List;

/**
 * Tables that do not go by time: a stock that adds up, and orders of which a person decides. The line is cut once more, both
 * sell from one stock and change one order; then the order is decided by hand, and the decision is taken back.
 *
 * @param north who
 * @param south who
 * @param stock what both have on hand now: the north, then the south
 * @param undecided the status that each office's order has while nobody has decided
 * @param waiting in how many logs the order waited for a decision
 * @param resolved the status of both after the decision
 * @param reverted the status of both once that was taken back
 */
record Policies(
        Office north,
        Office south,
        List<String> stock,
        List<String> undecided,
        int waiting,
        List<String> resolved,
        List<String> reverted) {
    static final int ON_HAND = 100;
    static final int NORTH_SELLS = 30;
    static final int SOUTH_SELLS = 45;
    private static final String ORDER = "SELECT status FROM shop.orders WHERE id = 4714";
    private static final String STOCK = "SELECT on_hand FROM shop.stock WHERE product_id = 7";
    private static final String ENTRY =
            "SELECT max(id) FROM steep_repl.conflict_log WHERE table_name = 'orders' AND strategy = 'manual'";
    private static final String SET =
            "SELECT string_agg(table_name, ' ') FROM steep_repl.replicated_tables() WHERE strategy = 'manual' OR delta_columns <> '{}'";

    /** Sets the strategies, on one node; they travel to the other. */
    static void set(Office north, Office south) {
        north.node()
                .execute(
                        "UPDATE shop.stock SET on_hand = " + ON_HAND + " WHERE product_id = 7",
                        "SELECT steep_repl.set_conflict_strategy('shop.stock', 'last_write_wins', delta_columns => '{on_hand}')",
                        "SELECT steep_repl.set_conflict_strategy('shop.orders', 'manual')");
        Wait.until(
                () -> south.node().query(SET).split(" ").length == 2
                        && south.node().query(STOCK).equals(Integer.toString(ON_HAND)),
                () -> "the strategies did not arrive: " + south.node().query(SET));
    }

    /** What the offices do while they are cut off once more. */
    static void act(Office north, Office south, Output out) {
        out.note("  Product 7, %d on hand: both sell".formatted(ON_HAND));
        sell(north, NORTH_SELLS, out);
        sell(south, SOUTH_SELLS, out);
        out.note("  Order 4714: both change it");
        out.note("      north  refunds it");
        north.node().execute("UPDATE shop.orders SET status = 'refunded' WHERE id = 4714");
        out.note("      south  ships it");
        south.node().execute("UPDATE shop.orders SET status = 'shipped' WHERE id = 4714");
    }

    private static void sell(Office office, int pieces, Output out) {
        out.note("      %-6s sells %d".formatted(office, pieces));
        office.node().execute("UPDATE shop.stock SET on_hand = on_hand - " + pieces + " WHERE product_id = 7");
    }

    /** Waits for the sum and for the entries that wait, decides for the south's order, and takes that back. */
    static Policies settle(Office north, Office south) {
        List<Office> both = List.of(north, south);
        String sum = Integer.toString(ON_HAND - NORTH_SELLS - SOUTH_SELLS);
        Wait.until(
                () -> all(both, STOCK).equals(List.of(sum, sum)) && waiting(both) == 2,
                () -> "the stock is " + all(both, STOCK) + ", " + waiting(both) + " of 2 orders wait");
        List<String> undecided = all(both, ORDER);
        int waiting = waiting(both);
        String entry = south.node().query(ENTRY);
        south.node()
                .query("SELECT steep_repl.resolve_conflict(" + entry
                        + ", 'LOCAL', p_reason => 'it has left the house')");
        awaitOrders(both, "shipped");
        List<String> resolved = all(both, ORDER);
        south.node().query("SELECT steep_repl.revert_resolution(" + entry + ", 'the parcel came back')");
        awaitOrders(both, "refunded");
        Wait.until(() -> open(both) == 0, () -> open(both) + " conflicts are not proven");
        return new Policies(north, south, all(both, STOCK), undecided, waiting, resolved, all(both, ORDER));
    }

    private static void awaitOrders(List<Office> offices, String status) {
        Wait.until(
                () -> all(offices, ORDER).equals(List.of(status, status)),
                () -> "the order is " + all(offices, ORDER) + ", it should be " + status);
    }

    private static List<String> all(List<Office> offices, String query) {
        return offices.stream().map(o -> o.node().query(query)).toList();
    }

    private static int waiting(List<Office> offices) {
        return (int) offices.stream()
                .filter(o -> o.node()
                        .query(
                                "SELECT count(*) FROM steep_repl.conflict_log WHERE table_name = 'orders' AND resolution = 'PENDING'")
                        .equals("1"))
                .count();
    }

    private static long open(List<Office> offices) {
        return offices.stream()
                .mapToLong(o -> Long.parseLong(
                        o.node().query("SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL")))
                .sum();
    }

    /** Whether the stock is the sum, the order waited for a person, and the decision and its end reached both. */
    boolean right() {
        String sum = Integer.toString(ON_HAND - NORTH_SELLS - SOUTH_SELLS);
        return stock.equals(List.of(sum, sum))
                && undecided.equals(List.of("refunded", "shipped"))
                && waiting == 2
                && resolved.equals(List.of("shipped", "shipped"))
                && reverted.equals(List.of("refunded", "refunded"));
    }

    /** What became of it, for people. */
    String text() {
        return """

                5. Product 7: both sell from one stock  [on_hand is a delta column]
                   %d - %d - %d is %s in the north and %s in the south: both sales count.

                6. Order 4714: refunded here, shipped there  [manual]
                   Waited    for a person, in %d logs: %s in the north, %s in the south.
                   Resolved  in the south, resolve_conflict(…, 'LOCAL'): %s in the north, %s in the south.
                   Reverted  in the south, revert_resolution(…): %s in the north, %s in the south.
                """.formatted(
                        ON_HAND,
                        NORTH_SELLS,
                        SOUTH_SELLS,
                        stock.get(0),
                        stock.get(1),
                        waiting,
                        undecided.get(0),
                        undecided.get(1),
                        resolved.get(0),
                        resolved.get(1),
                        reverted.get(0),
                        reverted.get(1));
    }
}
