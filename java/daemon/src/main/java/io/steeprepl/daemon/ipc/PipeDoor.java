package io.steeprepl.daemon.ipc;

import io.steeprepl.api.ApiException;
import io.steeprepl.remote.windows.PipeChannel;
import io.steeprepl.remote.windows.PipeListener;
import io.steeprepl.remote.windows.PipeName;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A named pipe. Who may open it the system looks after, and nobody can take it away. */
final class PipeDoor implements Door {
    private final PipeName name;
    private volatile @Nullable PipeListener listener;

    PipeDoor(PipeName name) {
        this.name = name;
    }

    @Override
    public Path path() {
        return Path.of(name.text());
    }

    @Override
    public void open() {
        try {
            listener = PipeListener.open(name);
        } catch (IOException e) {
            throw new ApiException.Failed(
                    null,
                    String.valueOf(e.getMessage()),
                    null,
                    "end it, or name another one: repl.ipc.path, or --name",
                    e);
        }
    }

    @Override
    public Visitor accept() throws IOException {
        PipeListener open = listener;
        if (open == null) {
            throw new ClosedChannelException();
        }
        PipeChannel channel = open.accept();
        return new Visitor(channel, Optional.of(channel.client().orElse("unknown")));
    }

    @Override
    public boolean renew() {
        return false;
    }

    @Override
    public boolean isOpen() {
        PipeListener open = listener;
        return open != null && open.isOpen();
    }

    @Override
    public void close() {
        PipeListener open = listener;
        if (open != null) {
            open.close();
        }
    }

    /** A call of Windows holds its thread, and with it all virtual ones that it carries. */
    @Override
    public Thread.Builder threads() {
        return Thread.ofPlatform().daemon();
    }
}
