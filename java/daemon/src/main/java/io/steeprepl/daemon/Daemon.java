package io.steeprepl.daemon;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Version;
import io.steeprepl.config.repl.Changes;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.audit.AuditTrail;
import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.daemon.grpc.GrpcComponent;
import io.steeprepl.daemon.http.HttpEndpoint;
import io.steeprepl.daemon.http.Metrics;
import io.steeprepl.daemon.ipc.Answers;
import io.steeprepl.daemon.ipc.ApiAnswers;
import io.steeprepl.daemon.ipc.IpcServer;
import io.steeprepl.daemon.log.Logs;
import io.steeprepl.daemon.peer.PeerWatch;
import io.steeprepl.daemon.service.Notify;
import io.steeprepl.daemon.watch.Aside;
import io.steeprepl.daemon.watch.Watch;
import io.steeprepl.direct.WatcherEvent;
import io.steeprepl.remote.Dispatcher;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The whole of it: started once, it runs until it is told to end. */
public final class Daemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    /** What a part may take beyond the time for what it has under way. */
    private static final Duration LONGER = Duration.ofSeconds(3);
    /** For all that comes after the parts: the audit log, and connections. */
    private static final Duration LAST = Duration.ofSeconds(30);

    private final Settings settings;
    private final LockFile lock;
    private final Events events = new Events();
    private final AuditTrail audit = new AuditTrail();
    private final List<Component> components = new CopyOnWriteArrayList<>();
    private final CountDownLatch told = new CountDownLatch(1);
    private final Watch watch;
    private final Notify notify;

    private Daemon(Settings settings, LockFile lock) {
        this.settings = settings;
        this.lock = lock;
        this.watch = new Watch(settings::now, settings::connection, events, audit);
        this.notify = Notify.ofProcess(System.getenv(), watch::alive);
    }

    /**
     * Starts it and waits until it is told to end: SIGTERM, SIGINT, or over its socket.
     *
     * @throws ApiException.Usage when the file is wrong; nothing was started then
     * @throws ApiException.Failed when something that it needs is taken, or not there yet
     */
    public static void run(Launch launch) {
        Settings settings = Settings.read(launch);
        if (!settings.now().enabled()) {
            throw new ApiException.Usage(
                    "repl.enabled is false in " + launch.config(), "set it to true, or do not start the daemon");
        }
        Logs.begin(
                settings.now().log(), launch.name(), System.out, launch.around().variables());
        settings.exposed().ifPresent(LOG::warn);
        try (Daemon daemon = start(settings)) {
            daemon.await();
        }
    }

    private static Daemon start(Settings settings) {
        String name = settings.launch().name();
        LockFile lock = LockFile.take(settings.launch().lock(), name);
        Daemon daemon = new Daemon(settings, lock);
        try {
            daemon.serve();
        } catch (RuntimeException e) {
            LOG.error("the daemon cannot start: {}", e.getMessage());
            daemon.record("daemon.start", Map.of(), e.getMessage());
            daemon.closeAll();
            // The configuration was found right: what it is that shows only now may pass, and is worth another start.
            throw e instanceof ApiException.Usage late
                    ? new ApiException.Failed(null, late.message(), late.detail(), late.hint(), late)
                    : e;
        }
        return daemon;
    }

    private void serve() {
        // Before anybody can see that it serves: whoever is told to end ends in order.
        Signals.at("TERM", told::countDown);
        Signals.at("INT", told::countDown);
        ReplSettings now = settings.now();
        Status status = new Status(settings, watch, audit, () -> components);
        Metrics metrics = new Metrics(watch::view, watch::pool, audit, status::uptime);
        List<Answers> answers =
                List.of(new OwnAnswers(status, metrics, this::reload), new ApiAnswers(new Dispatcher(watch::open)));
        if (now.ipc().enabled()) {
            var path = settings.launch().socket(now.ipc());
            var own = new ArrayList<>(answers);
            own.add(new EndAnswer(told::countDown));
            var ipc = new IpcServer(path, now.ipc(), own, events);
            metrics.gauge("steep_repl_ipc_clients", "Programs that are connected to the socket.", ipc::clients);
            components.add(ipc);
        }
        if (now.grpc().enabled()) {
            var grpc = new GrpcComponent(
                    new GrpcComponent.Parts(settings::now, watch::view, registry(), answers, events, audit));
            grpc.measure(metrics);
            components.add(grpc);
        }
        if (now.http().enabled()) {
            components.add(new HttpEndpoint(now.http(), status, metrics));
        }
        Signals.at("HUP", this::reloadAtSignal);
        record(
                "daemon.start",
                Map.of(
                        "version",
                        Version.CURRENT,
                        "pid",
                        ProcessHandle.current().pid()),
                null);
        LOG.info(
                "steep-repl {} runs as process {}",
                Version.CURRENT,
                ProcessHandle.current().pid());
        notify.ready();
        Tidying.begin();
        // The first answer takes long: classes are loaded for it. Better now than when somebody asks.
        Thread.ofVirtual().name("warm-up").start(() -> {
            status.status();
            metrics.text();
        });
    }

    /** On a connection of its own: calls that wait for a lock must not make lost peers look present. */
    private PeerWatch.Registry registry() {
        Aside aside = watch.aside();
        return what -> {
            // Without a database nobody can be told, and the watch says that it is away.
            if (watch.view().database().connected()) {
                aside.ask(settings.now().database().checkTimeout(), node -> {
                    what.accept(node);
                    return true;
                });
            }
        };
    }

    private void await() {
        try {
            told.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Changes reload() {
        Changes changes;
        try {
            changes = settings.reload();
        } catch (ApiException.Usage e) {
            LOG.error("the configuration was not read again: {}: {}", e.message(), e.detail());
            record("daemon.config_change", Map.of(), e.message());
            throw e;
        }
        Logs.level(settings.now().log());
        settings.exposed().ifPresent(LOG::warn);
        components.forEach(Component::reload);
        LOG.info(
                "the configuration was read again; in effect: {}; needs a restart: {}",
                changes.live(),
                changes.restart());
        if (!changes.none()) {
            record(
                    "daemon.config_change",
                    Map.of("in_effect", changes.live(), "needs_restart", changes.restart()),
                    null);
        }
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        data.put("in_effect", changes.live());
        data.put("needs_restart", changes.restart());
        events.tell(new Event(Instant.now(), "config.reloaded", data));
        return changes;
    }

    private void reloadAtSignal() {
        notify.reloading();
        try {
            reload();
        } catch (ApiException e) {
            LOG.debug("said already", e);
        } catch (RuntimeException e) {
            LOG.error("reading the configuration again failed", e);
        } finally {
            // Whatever came of it, the daemon goes on; systemd would wait for that.
            notify.ready();
        }
    }

    private void record(String action, Map<String, ?> value, @Nullable String error) {
        audit.add(new WatcherEvent(
                Instant.now(), action, "daemon", settings.launch().name(), null, Json.write(value), null, error));
    }

    /** Takes no more requests, lets those that are under way end, and closes everything. */
    @Override
    public void close() {
        notify.stopping(settings.now().shutdownTimeout().plus(LAST));
        LOG.info("steep-repl ends");
        record("daemon.stop", Map.of(), null);
        closeAll();
    }

    /** All parts at once, so that they share one time limit; whatever becomes of one, the others are closed. */
    private void closeAll() {
        Duration limit = settings.now().shutdownTimeout();
        List<Thread> closing = components.stream()
                .map(part -> Thread.ofVirtual()
                        .name("close-" + part.name())
                        .start(() -> closed(part.name(), () -> part.close(limit))))
                .toList();
        Instant until = Instant.now().plus(limit).plus(LONGER);
        try {
            for (Thread part : closing) {
                if (!part.join(Duration.between(Instant.now(), until))) {
                    LOG.warn("{} takes too long and is left alone", part.getName());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        closed("watch", watch::close);
        closed("lock", lock::close);
    }

    private static void closed(String name, Runnable close) {
        try {
            close.run();
        } catch (RuntimeException e) {
            LOG.error("closing {} failed", name, e);
        }
    }
}
