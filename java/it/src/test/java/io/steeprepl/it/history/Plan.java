package io.steeprepl.it.history;

import java.util.List;

/**
 * A history before it happens. The same seed and options give the same plan.
 *
 * @param base the number of the history, from which its keys and ids come, so that histories can share tables
 */
record Plan(long seed, int base, int nodes, List<Shape> shapes, List<Step> steps) {
    /** Keys of a history lie in a range of this size. */
    static final int KEYS = 10;

    int firstKey() {
        return base * KEYS;
    }

    String range(String column) {
        return column + " BETWEEN " + firstKey() + " AND " + (firstKey() + KEYS - 1);
    }
}
