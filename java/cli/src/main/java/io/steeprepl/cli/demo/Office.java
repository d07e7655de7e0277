package io.steeprepl.cli.demo;

import io.steeprepl.testkit.TestNode;
import java.util.concurrent.atomic.LongAdder;

/**
 * An office with a database of its own.
 *
 * @param name what people call it
 * @param node its database
 * @param first the first id that it hands out; the next are two apart, so that no other office hands out the same
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

    /** One of the ids up to {@code most} (even) that only this office changes. */
    int ownId(int most, java.util.Random random) {
        return first + 2 * random.nextInt(most / 2);
    }

    @Override
    public String toString() {
        return name;
    }
}
