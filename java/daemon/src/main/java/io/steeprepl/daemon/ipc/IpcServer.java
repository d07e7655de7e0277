package io.steeprepl.daemon.ipc;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.daemon.Component;
import io.steeprepl.daemon.ComponentState;
import io.steeprepl.daemon.event.Events;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes connections on the socket, one virtual thread each, and ends those that keep others out. */
public final class IpcServer implements Component {
    private static final Logger LOG = LoggerFactory.getLogger(IpcServer.class);
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final SocketFile socket;
    private final ServerSocketChannel server;
    private final IpcSettings settings;
    private final List<Answers> answers;
    private final Events events;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    /** Those for whom there was no room, until they have read that. */
    private final Set<Client> refused = ConcurrentHashMap.newKeySet();

    private final CountDownLatch ending = new CountDownLatch(1);

    /**
     * Serves on that socket from now on.
     *
     * @throws ApiException.Failed when another process serves there, or it cannot be made
     */
    public IpcServer(Path path, IpcSettings settings, List<Answers> answers, Events events) {
        this.settings = settings;
        this.answers = answers;
        this.events = events;
        this.socket = new SocketFile(path);
        this.server = socket.open();
        Thread.ofVirtual().name("ipc-accept").start(this::accept);
        Thread.ofVirtual().name("ipc-late").start(this::endLateOnes);
        LOG.info("listening on {}", path);
    }

    @Override
    public String name() {
        return "ipc";
    }

    @Override
    public ComponentState state() {
        return server.isOpen()
                ? ComponentState.serving(socket.path().toString())
                : ComponentState.unhealthy("the socket is closed");
    }

    /** How many clients there are. */
    public int clients() {
        return clients.size();
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                if (channel != null) {
                    serve(channel);
                }
            } catch (AsynchronousCloseException e) {
                return;
            } catch (IOException e) {
                LOG.warn("a client could not be taken: {}", e.toString());
                // No file descriptors, most likely: no use in asking again at once.
                if (pause()) {
                    return;
                }
            }
        }
    }

    private void serve(SocketChannel channel) {
        Optional<String> user = socket.user(channel);
        var client = new Client(channel, user.orElse(""), answers, events, settings.maxRequestBytes());
        if (user.isEmpty()) {
            LOG.warn("a client of another account was refused");
            client.close();
            return;
        }
        if (clients.size() < settings.maxClients()) {
            begin(client, clients, client);
        } else if (refused.size() < settings.maxClients()) {
            begin(
                    client,
                    refused,
                    () -> client.refuse(Failure.of(
                            "busy",
                            "there are %d clients already".formatted(settings.maxClients()),
                            "try again, or raise repl.ipc.max_clients")));
        } else {
            client.close();
        }
    }

    private static void begin(Client client, Set<Client> among, Runnable work) {
        among.add(client);
        Thread.ofVirtual().name("ipc-client").start(() -> {
            try {
                work.run();
            } finally {
                among.remove(client);
            }
        });
    }

    private void endLateOnes() {
        while (!pause()) {
            long before = System.nanoTime() - settings.timeout().toNanos();
            for (Client client : clients) {
                if (client.closeIfWaitingSince(before)) {
                    LOG.warn("a client kept the daemon waiting; its connection is closed");
                }
                client.endCallInVain(settings.timeout());
            }
            refused.forEach(client -> client.closeIfWaitingSince(before));
        }
    }

    /** True when this is the end. */
    private boolean pause() {
        try {
            return ending.await(500, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    @Override
    public void close() {
        close(GRACE);
    }

    @Override
    public void close(Duration grace) {
        ending.countDown();
        try {
            server.close();
        } catch (IOException e) {
            LOG.warn("closing the socket: {}", e.toString());
        }
        try {
            socket.remove();
        } catch (UncheckedIOException e) {
            LOG.warn("the socket {} stays behind: {}", socket.path(), e.toString());
        }
        long until = System.nanoTime() + grace.toNanos();
        clients.forEach(client -> client.finish(until));
        refused.forEach(Client::close);
    }
}
