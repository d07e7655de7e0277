package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Bar;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The ids of orders that each office handed out, from ranges of its own.
 *
 * @param ranges of both
 * @param taken how many orders each has taken, by office
 * @param wrong how many of them have an id that is not of a range of that office
 */
record OrderIds(List<Range> ranges, Map<String, Long> taken, long wrong) {
    /** How many used-up ranges of an office are shown; more would push the rest off the screen. */
    private static final int SHOWN = 3;

    private static final String RANGES = """
            SELECT range_start, range_end, status, percent_used, current_value FROM steep_repl.range_status()
             WHERE table_name = 'orders' AND node_id = steep_repl.node_id() AND range_start > %d ORDER BY range_start""".formatted(Shop.ORDERS);
    private static final String TAKEN = "SELECT count(*) FROM shop.orders WHERE office = '%s' AND id > " + Shop.ORDERS;
    private static final List<Column<Range>> COLUMNS = List.of(
            Column.of("   ", r -> "   " + r.office()),
            Column.of("range_start", Range::start),
            Column.of("range_end", Range::end),
            Column.of("status", Range::status),
            Column.of("percent_used", Range::used),
            Column.of("next_id", Range::next));

    /** One range, as {@code range status} shows it. */
    record Range(
            Office office,
            long start,
            long end,
            String status,
            @Nullable Bar used,
            @Nullable Long next) {
        private static Range of(Office office, String row) {
            String[] columns = row.split("\\|", -1);
            return new Range(
                    office,
                    Long.parseLong(columns[0]),
                    Long.parseLong(columns[1]),
                    columns[2],
                    columns[3].isEmpty() ? null : new Bar(Double.parseDouble(columns[3]), !columns[2].equals("active")),
                    columns[4].isEmpty() ? null : Long.valueOf(columns[4]));
        }

        private boolean usedUp() {
            return status.equals("exhausted");
        }
    }

    /** What both have now. */
    static OrderIds of(List<Office> offices) {
        List<Range> ranges = offices.stream()
                .flatMap(o -> o.node().rows(RANGES).stream().map(row -> Range.of(o, row)))
                .toList();
        Map<String, Long> taken = new LinkedHashMap<>();
        offices.forEach(o -> taken.put(o.name(), Long.valueOf(o.node().query(TAKEN.formatted(o.name())))));
        long wrong = offices.stream()
                .mapToLong(o -> Long.parseLong(o.node().query(wrong(o))))
                .sum();
        return new OrderIds(ranges, taken, wrong);
    }

    /** Whether each office took orders, all of them with ids of its own. */
    boolean right() {
        return wrong == 0 && taken.values().stream().allMatch(count -> count > 0);
    }

    /** Prints the ranges with their use. */
    void print(int number, Output out) {
        out.text("\n%d. New orders: each office hands out ids of its own  [range status]\n".formatted(number));
        List<Range> shown =
                ranges.stream().filter(r -> !r.usedUp() || rank(r) <= SHOWN).toList();
        out.list(COLUMNS, shown, "");
        taken.forEach((office, count) -> out.text("   The %s took %,d orders, and went through %d ranges of %d ids.\n"
                .formatted(office, count, begun(office), Shop.RANGE)));
        out.text("   Neither asked the other, cut off or not; orders with an id of the wrong office: %d.\n"
                .formatted(wrong));
    }

    /** How many orders of an office have ids of none of its ranges. */
    private static String wrong(Office office) {
        return """
                SELECT count(*) FROM shop.orders o WHERE o.office = '%s' AND o.id > %d AND NOT EXISTS (
                  SELECT 1 FROM steep_repl.identity_ranges r
                   WHERE r.table_name = 'orders' AND r.node_id = '%s' AND o.id BETWEEN r.range_start AND r.range_end)""".formatted(office.name(), Shop.ORDERS, office.node().id());
    }

    /** From the newest used-up range of the same office on. */
    private long rank(Range range) {
        return 1
                + ranges.stream()
                        .filter(r -> r.office().equals(range.office()) && r.usedUp() && r.start() > range.start())
                        .count();
    }

    private long begun(String office) {
        return ranges.stream()
                .filter(r -> r.office().name().equals(office) && (r.usedUp() || r.next() != null))
                .count();
    }

    /** What a program reads. */
    Map<String, Object> document() {
        var object = new LinkedHashMap<String, Object>();
        object.put("ranges", ranges.stream().map(OrderIds::range).toList());
        object.put("orders_taken", taken);
        object.put("wrong", wrong);
        object.put("right", right());
        return object;
    }

    private static Map<String, @Nullable Object> range(Range range) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("node_id", range.office().node().id());
        object.put("range_start", range.start());
        object.put("range_end", range.end());
        object.put("status", range.status());
        object.put("percent_used", range.used());
        object.put("current_value", range.next());
        return object;
    }
}
