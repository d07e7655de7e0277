package io.steeprepl.cli.demo;

import io.steeprepl.testkit.TestkitException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Both offices write at the same time, several clerks in each. */
final class Rush {
    private static final int CLERKS = 4;

    private final List<Office> offices;
    private final View view;
    private long mostQueued;
    private volatile boolean open = true;

    Rush(List<Office> offices, View view) {
        this.offices = offices;
        this.view = view;
    }

    /** Lets them write for so long, shows how it goes, and returns when all have stopped. */
    void run(Duration length) {
        long begin = System.nanoTime();
        try (ExecutorService clerks = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> work = new ArrayList<>();
            for (Office office : offices) {
                for (int i = 0; i < CLERKS; i++) {
                    Clerk clerk = new Clerk(office, 10L * office.first() + i);
                    work.add(clerks.submit(() -> {
                        clerk.work(() -> open && Wait.since(begin).compareTo(length) < 0);
                        return null;
                    }));
                }
            }
            try {
                watch(begin, length, work);
            } finally {
                open = false;
            }
            for (Future<?> one : work) {
                one.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TestkitException("interrupted", e);
        } catch (ExecutionException e) {
            throw new TestkitException("a session that wrote failed", e.getCause());
        }
    }

    private void watch(long begin, Duration length, List<Future<?>> work) {
        long[] before = new long[offices.size()];
        long last = begin;
        // A session that failed ends it all.
        while (Wait.since(begin).compareTo(length) < 0
                && work.stream().noneMatch(w -> w.state() == Future.State.FAILED)) {
            Duration left = length.minus(Wait.since(begin));
            Wait.pause(left.compareTo(view.every()) < 0 ? left : view.every());
            double seconds = Wait.since(last).toMillis() / 1000.0;
            last = System.nanoTime();
            List<Sample> samples = new ArrayList<>();
            for (int i = 0; i < before.length; i++) {
                samples.add(Sample.take(offices.get(i), before[i], seconds));
                before[i] = samples.get(i).rows();
                mostQueued = Math.max(mostQueued, samples.get(i).queueBytes());
            }
            view.show(Wait.since(begin), samples);
        }
    }

    /** The longest queue that was seen, in bytes. */
    long mostQueued() {
        return mostQueued;
    }

    /** Waits until each office has worked through all that the other has written up to now. */
    Duration drain() {
        List<String> ends = offices.stream()
                .map(o -> o.node().query("SELECT pg_current_wal_lsn()"))
                .toList();
        return Wait.until(
                () -> {
                    boolean through = true;
                    for (int i = 0; i < ends.size(); i++) {
                        through &= offices.get(i)
                                .node()
                                .query("SELECT bool_and(confirmed_flush_lsn >= '" + ends.get(i)
                                        + "') FROM pg_replication_slots WHERE database = current_database()")
                                .equals("t");
                    }
                    return through;
                },
                () -> "the offices did not catch up with each other: " + states());
    }

    private String states() {
        return offices.stream()
                .map(o -> o + " " + o.node().rows("SELECT s FROM steep_repl.subscription_status() s"))
                .toList()
                .toString();
    }
}
