package io.steeprepl.daemon.ipc;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.remote.Dispatcher;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A request that is being answered, and when nobody waits for that any more. */
final class RunningCall {
    private static final Logger LOG = LoggerFactory.getLogger(RunningCall.class);
    /** As over gRPC. */
    private static final Duration LONGEST = Duration.ofHours(1);

    private final CountDownLatch ended = new CountDownLatch(1);
    private final long begun = System.nanoTime();
    /** Since when the client has been gone, in nanoseconds; 0 when it is there. */
    private final AtomicLong gone = new AtomicLong();

    private final AtomicBoolean ending = new AtomicBoolean();
    private volatile String id = "";

    /** Names the call, so that it can be cancelled; callers may have a name of their own. */
    void name(ObjectNode params) {
        if (params.path(Dispatcher.CALL_ID).asText("").isEmpty()) {
            params.put(Dispatcher.CALL_ID, UUID.randomUUID().toString());
        }
        id = params.path(Dispatcher.CALL_ID).asText();
    }

    /** The client sends no more; it may still wait for the answer. */
    void halfGone() {
        gone.compareAndSet(0, System.nanoTime());
    }

    /** It has been answered. */
    void end() {
        ended.countDown();
    }

    void await() {
        boolean interrupted = false;
        while (true) {
            try {
                ended.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Cancels it when it takes too long, or its client has been gone for {@code patience}. To be asked again until it ends. */
    void endIfInVain(Duration patience, List<Answers> answers) {
        long now = System.nanoTime();
        long since = gone.get();
        boolean inVain = (since != 0 && now - since > patience.toNanos()) || now - begun > LONGEST.toNanos();
        if (inVain && ended.getCount() > 0 && !id.isEmpty() && ending.compareAndSet(false, true)) {
            // Cancelling makes a connection; whoever looks after all clients must not wait for that.
            Thread.ofVirtual().name("ipc-cancel").start(() -> cancel(since == 0, answers));
        }
    }

    private void cancel(boolean tooLong, List<Answers> answers) {
        LOG.info("a call is ended: {}", tooLong ? "it takes too long" : "its client has gone");
        ObjectNode params = JsonNodeFactory.instance.objectNode().put(Dispatcher.CALL_ID, id);
        try {
            for (Answers some : answers) {
                if (some.knows(Dispatcher.CANCEL)) {
                    some.answer(Dispatcher.CANCEL, params);
                }
            }
        } catch (ApiException e) {
            LOG.warn("a call could not be cancelled: {}", e.message());
        } finally {
            ending.set(false);
        }
    }
}
