package io.steeprepl.it.history;

/** The time between two looks at a condition. */
final class Pause {
    private Pause() {}

    static void briefly() {
        try {
            Thread.sleep(25);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
