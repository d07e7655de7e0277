package io.steeprepl.daemon.ipc;

import io.steeprepl.api.ApiException;
import io.steeprepl.remote.windows.PipeName;
import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Optional;

/** Where clients come in: a Unix socket, or a named pipe on Windows. */
interface Door {
    /** The one of that path, not open yet. */
    static Door at(Path path) {
        return PipeName.of(path).<Door>map(PipeDoor::new).orElseGet(() -> new SocketDoor(path));
    }

    /** Where it is. */
    Path path();

    /**
     * Opens it.
     *
     * @throws ApiException.Failed when it is somebody else's, or in use
     */
    void open();

    /** Somebody who came in, with the account; without one they may not. */
    record Visitor(ByteChannel channel, Optional<String> user) {}

    /** The next one; waits for them. Throws {@link ClosedChannelException} at the end, and when it was opened anew meanwhile. */
    Visitor accept() throws IOException;

    /** Opens it anew when somebody has taken it away; whether that was so. Those who are in stay in. */
    boolean renew() throws IOException;

    /** Whether it is open. */
    boolean isOpen();

    /** Closes it. */
    void close() throws IOException;

    /** What waits for those who are in: threads that such a channel does not hold up. */
    Thread.Builder threads();
}
