package io.steeprepl.daemon.ipc;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.daemon.Component;
import io.steeprepl.daemon.ComponentState;
import io.steeprepl.daemon.event.Events;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes connections on the socket or pipe, one thread each, and ends those that keep others out. */
public final class IpcServer implements Component {
    private static final Logger LOG = LoggerFactory.getLogger(IpcServer.class);
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final Door door;
    /** Why there is no socket in the file system; null while there is one. */
    private volatile @Nullable String away;

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
        this.door = Door.at(path);
        door.open();
        door.threads().name("ipc-accept").start(this::accept);
        Thread.ofVirtual().name("ipc-late").start(this::lookAfter);
        LOG.info("listening on {}", path);
    }

    @Override
    public String name() {
        return "ipc";
    }

    @Override
    public ComponentState state() {
        String why = door.isOpen() ? away : "the socket is closed";
        return why == null ? ComponentState.serving(door.path().toString()) : ComponentState.unhealthy(why);
    }

    /** How many clients there are. */
    public int clients() {
        return clients.size();
    }

    private void accept() {
        while (ending.getCount() > 0) {
            try {
                serve(door.accept());
            } catch (ClosedChannelException e) {
                LOG.debug("the end, or another socket in this one's place", e);
            } catch (IOException e) {
                LOG.warn("a client could not be taken: {}", e.toString());
                // No file descriptors, most likely: no use in asking again at once.
                if (pause()) {
                    return;
                }
            }
        }
    }

    private void serve(Door.Visitor visitor) {
        var client = new Client(visitor, door::threads, answers, events, settings.maxRequestBytes());
        if (visitor.user().isEmpty()) {
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

    private void begin(Client client, Set<Client> among, Runnable work) {
        among.add(client);
        try {
            door.threads().name("ipc-client").start(() -> {
                try {
                    work.run();
                } finally {
                    among.remove(client);
                }
            });
        } catch (OutOfMemoryError e) {
            LOG.warn("a client could not be served: {}", e.toString());
            among.remove(client);
            client.close();
        }
    }

    private void lookAfter() {
        while (!pause()) {
            keepDoor();
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

    /** Makes the socket anew when somebody has taken its file away. Those who are connected stay so. */
    private synchronized void keepDoor() {
        try {
            if (ending.getCount() == 0) {
                return;
            }
            if (door.renew()) {
                LOG.warn("the file {} was taken away; the socket is made anew", door.path());
            }
            away = null;
        } catch (ApiException | IOException e) {
            String why = "%s was taken away: %s".formatted(door.path(), e.getMessage());
            if (!why.equals(away)) {
                LOG.error("{}", why);
            }
            away = why;
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
        closeDoor();
        long until = System.nanoTime() + grace.toNanos();
        clients.forEach(client -> client.finish(until));
        refused.forEach(Client::close);
    }

    private synchronized void closeDoor() {
        try {
            door.close();
        } catch (IOException e) {
            LOG.warn("closing {}: {}", door.path(), e.toString());
        }
    }
}
