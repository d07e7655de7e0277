package io.steeprepl.daemon.event;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Tells events to whoever listens. A listener must not wait. */
public final class Events {
    private final List<Consumer<Event>> listeners = new CopyOnWriteArrayList<>();

    /** What {@link #listen} began. */
    @FunctionalInterface
    public interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** Tells {@code listener} of every event from now on until the result is closed. */
    public Subscription listen(Consumer<Event> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    /** Tells everybody. */
    public void tell(Event event) {
        listeners.forEach(listener -> listener.accept(event));
    }
}
