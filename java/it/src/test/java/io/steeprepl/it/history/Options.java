package io.steeprepl.it.history;

import java.time.Duration;
import java.util.Set;

/**
 * How the histories are run; each from the system property {@code history.NAME}.
 *
 * @param count how many, on each number of nodes
 * @param seed of the first one; the next is one more. Without it a new one each time
 * @param nodes 2 or 3, or 0 for both
 * @param patience how long nodes may take to settle
 * @param failures after how many failed histories to stop
 * @param ignore rules whose breaches are not counted, separated by commas
 * @param truncate whether tables are truncated too
 */
record Options(int count, long seed, int nodes, Duration patience, int failures, Set<String> ignore, boolean truncate) {
    static Options fromProperties() {
        Long seed = Long.getLong("history.seed");
        return new Options(
                Integer.getInteger("history.count", seed == null ? 25 : 1),
                seed == null ? System.nanoTime() / 1000 % 1_000_000_000 : seed,
                Integer.getInteger("history.nodes", 0),
                Duration.ofSeconds(Integer.getInteger("history.patience", 180)),
                Integer.getInteger("history.failures", 1),
                Set.of(System.getProperty("history.ignore", "").split(",")),
                !"false".equals(System.getProperty("history.truncate")));
    }
}
