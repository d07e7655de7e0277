package io.steeprepl.daemon.grpc;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.atomic.LongAdder;

/** Connections and calls that were turned away. */
public final class Refusals {
    /** Is told of each. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Somebody was refused. Must not wait.
         *
         * @param address whence, without the port
         * @param reason why
         */
        void refused(String address, Reason reason);
    }

    private final LongAdder count = new LongAdder();
    private final Listener listener;

    /** Tells {@code listener}, who keeps the flood of them from the log. */
    public Refusals(Listener listener) {
        this.listener = listener;
    }

    void add(SocketAddress from, Reason reason) {
        count.increment();
        listener.refused(address(from), reason);
    }

    private static String address(SocketAddress from) {
        return from instanceof InetSocketAddress internet && internet.getAddress() != null
                ? internet.getAddress().getHostAddress()
                : "unknown";
    }

    /** How many there were since the start. */
    public long count() {
        return count.sum();
    }
}
