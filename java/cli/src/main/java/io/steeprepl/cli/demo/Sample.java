package io.steeprepl.cli.demo;

import java.time.Duration;
import java.util.Optional;

/**
 * An office at one moment.
 *
 * @param office which
 * @param rows how many rows it has written
 * @param perSecond how many of them a second since the last sample
 * @param queueBytes the other office's write-ahead log that it had not worked through when the extension looked last
 * @param lag how old the newest order is that it has from the other office; empty before the first
 */
record Sample(Office office, long rows, double perSecond, long queueBytes, Optional<Duration> lag) {
    private static final String QUEUE = "SELECT coalesce(max(lag_bytes), 0) FROM steep_repl.subscription_status()";

    /** Asks the office's node; {@code before} is how many rows there were {@code seconds} ago. */
    static Sample take(Office office, long before, double seconds) {
        long queue = Long.parseLong(office.node().query(QUEUE));
        // Both servers have the same clock.
        String age = office.node().query("""
                    SELECT (1000 * extract(epoch FROM clock_timestamp() - placed_at))::bigint FROM shop.orders
                     WHERE office <> '%s' AND id > %d ORDER BY id DESC LIMIT 1""".formatted(office.name(), Shop.ORDERS));
        long rows = office.rows().sum();
        double rate = seconds > 0 ? (rows - before) / seconds : 0;
        return new Sample(
                office,
                rows,
                rate,
                queue,
                age.isEmpty() ? Optional.empty() : Optional.of(Duration.ofMillis(Long.parseLong(age))));
    }

    /** The lag for people. */
    String lagText() {
        return lag.map(Wait::text).orElse("-");
    }
}
