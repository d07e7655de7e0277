package io.steeprepl.daemon.service;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells systemd how the daemon is (sd_notify), where systemd asks for it. */
public final class Notify {
    private static final Logger LOG = LoggerFactory.getLogger(Notify.class);

    private final @Nullable String socket;
    private final @Nullable Duration watchdog;
    private final BooleanSupplier alive;
    private final AtomicBoolean watched = new AtomicBoolean();
    private final CountDownLatch ending = new CountDownLatch(1);

    private Notify(@Nullable String socket, @Nullable Duration watchdog, BooleanSupplier alive) {
        this.socket = socket;
        this.watchdog = watchdog;
        this.alive = alive;
    }

    /** As systemd says in the environment. {@code alive}: false when it should end the daemon and start it again. */
    public static Notify ofProcess(Map<String, String> environment, BooleanSupplier alive) {
        String socket = environment.getOrDefault("NOTIFY_SOCKET", "");
        String micros = environment.getOrDefault("WATCHDOG_USEC", "");
        String pid = environment.getOrDefault("WATCHDOG_PID", "");
        boolean ours = pid.isEmpty()
                || pid.equals(Long.toString(ProcessHandle.current().pid()));
        Duration watchdog =
                micros.matches("[0-9]{1,18}") && ours ? Duration.ofNanos(Long.parseLong(micros) * 1000) : null;
        return new Notify(socket.isEmpty() ? null : socket, watchdog, alive);
    }

    /** It serves, or serves again. */
    public void ready() {
        send("READY=1\nMAINPID=" + ProcessHandle.current().pid());
        Duration limit = watchdog;
        if (socket != null && limit != null && watched.compareAndSet(false, true)) {
            Thread.ofPlatform().daemon().name("watchdog").start(() -> watch(limit.dividedBy(3)));
        }
    }

    /** It reads its configuration again. */
    public void reloading() {
        send("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
    }

    /** It ends, and may take that long; systemd would kill it after a time that is the same for all configurations. */
    public void stopping(Duration longest) {
        ending.countDown();
        send("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + longest.toNanos() / 1000);
    }

    private void watch(Duration interval) {
        try {
            while (!ending.await(interval.toMillis(), TimeUnit.MILLISECONDS)) {
                if (alive.getAsBoolean()) {
                    send("WATCHDOG=1");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(String text) {
        String to = socket;
        if (to == null) {
            return;
        }
        try {
            UnixDatagram.send(to, text.getBytes(StandardCharsets.UTF_8));
        } catch (java.io.IOException e) {
            LOG.warn("systemd was not told {}: {}", text.lines().findFirst().orElse(""), e.getMessage());
        }
    }
}
