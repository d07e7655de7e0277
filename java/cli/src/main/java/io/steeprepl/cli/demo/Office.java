package io.steeprepl.cli.demo;

import io.steeprepl.testkit.TestNode;
import java.util.concurrent.atomic.LongAdder;

/**
 * An office with a database of its own.
 *
 * @param name what people call it
 * @param node its database
 * @param first the first of the rows to begin with that only this office changes while both write; every second is
 * @param rows how many rows it has written
 * @param transactions how many transactions it has committed
 */
record Office(String name, TestNode node, int first, LongAdder rows, LongAdder transactions) {
    Office(String name, TestNode node, int first) {
        this(name, node, first, new LongAdder(), new LongAdder());
    }

    /** Counts a committed transaction. */
    void wrote(int count) {
        rows.add(count);
        transactions.increment();
    }

    /** The id of one of the rows to begin with, up to {@code most} (even), that only this office changes. */
    int ownId(int most, java.util.Random random) {
        return first + 2 * random.nextInt(most / 2);
    }

    @Override
    public String toString() {
        return name;
    }
}
