package io.steeprepl.daemon;

import java.time.Duration;

/**
 * Gives memory back. This collector looks at what is old only when there is no more room: a daemon at rest would grow for
 * days to the most that it may have, most of it garbage. So it is told to, once after the start and then each hour; that takes some
 * ten milliseconds.
 */
final class Tidying implements Runnable {
    private static final Duration AFTER_START = Duration.ofSeconds(20);
    private static final Duration INTERVAL = Duration.ofHours(1);

    /** Begins; it ends with the process. */
    static void begin() {
        Thread.ofVirtual().name("tidying").start(new Tidying());
    }

    @Override
    public void run() {
        try {
            Thread.sleep(AFTER_START);
            while (true) {
                System.gc();
                Thread.sleep(INTERVAL);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
