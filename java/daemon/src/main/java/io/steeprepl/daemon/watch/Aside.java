package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.DirectSteepRepl;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of its own for work of the daemon that neither may hold up others nor wait for them. It is made when it is
 * needed, kept, and given up when it fails. For one thread at a time.
 */
public final class Aside implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Aside.class);

    private static final Duration LEAVE = Duration.ofMillis(500);

    private final Supplier<DirectSteepRepl> connect;
    private volatile @Nullable DirectSteepRepl connection;
    private volatile boolean closed;

    Aside(Supplier<DirectSteepRepl> connect) {
        this.connect = connect;
    }

    /** The result of {@code work}. Throws {@link ApiException}, also when it takes longer than {@code limit}. */
    public <T> T ask(Duration limit, Function<DirectSteepRepl, T> work) {
        DirectSteepRepl known = connection;
        DirectSteepRepl open = known == null ? connect.get() : known;
        connection = open;
        if (closed) {
            drop();
            throw new ApiException.Cancelled("the daemon ends", null);
        }
        try {
            return Deadline.within(limit, () -> work.apply(open), open::cancel, open::abort);
        } catch (ApiException.CannotConnect e) {
            drop();
            throw e;
        }
    }

    /** Whether it was closed: what fails then has not failed. */
    boolean ended() {
        return closed;
    }

    /** Gives the connection up, whatever runs on it; the next work makes another. Any thread may call this. */
    void drop() {
        DirectSteepRepl old = connection;
        connection = null;
        if (old != null) {
            try {
                old.abort();
            } catch (ApiException e) {
                LOG.debug("giving a connection up: {}", e.message());
            }
        }
    }

    /** Takes leave of the server, which else says in its log that a client vanished; not for long. */
    @Override
    public void close() {
        closed = true;
        DirectSteepRepl old = connection;
        if (old != null) {
            try {
                Deadline.within(LEAVE, Deadline.doing(old::close), () -> {});
            } catch (ApiException e) {
                LOG.debug("closing a connection: {}", e.message());
            }
        }
        drop();
    }
}
