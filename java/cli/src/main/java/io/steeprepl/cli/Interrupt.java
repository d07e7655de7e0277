package io.steeprepl.cli;

import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ends the process with {@link ExitCode#CANCELLED} when it is interrupted (Ctrl-C, SIGTERM), after what must be done
 * first. Commands that have something to undo or to say register it here, not as a shutdown hook: hooks run side by side
 * and this one ends the process.
 */
public final class Interrupt {
    private static final Deque<Runnable> ACTIONS = new ConcurrentLinkedDeque<>();
    private static final AtomicBoolean FINISHED = new AtomicBoolean();

    private Interrupt() {}

    /** Begins to watch. */
    static void watch() {
        Runtime.getRuntime().addShutdownHook(new Thread(Interrupt::interrupted, "interrupt"));
    }

    /** The command has ended by itself: what follows is an ordinary end. */
    static void finished() {
        FINISHED.set(true);
    }

    /** Does {@code action} on interruption, the latest first. Closing the result forgets it. */
    public static Registration onInterrupt(Runnable action) {
        ACTIONS.push(action);
        return () -> ACTIONS.remove(action);
    }

    /** What {@link #onInterrupt} registered. */
    @FunctionalInterface
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }

    private static void interrupted() {
        if (FINISHED.get()) {
            return;
        }
        for (Runnable action : ACTIONS) {
            try {
                action.run();
            } catch (RuntimeException e) {
                System.err.println("error: " + e.getMessage());
            }
        }
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(ExitCode.CANCELLED.code());
    }
}
