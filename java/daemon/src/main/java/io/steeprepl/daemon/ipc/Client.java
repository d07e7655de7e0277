package io.steeprepl.daemon.ipc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.daemon.event.Event;
import io.steeprepl.daemon.event.Events;
import io.steeprepl.remote.Caller;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.remote.ipc.Lines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection: its requests are answered one after the other, events come between the answers. */
final class Client implements Runnable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = LoggerFactory.getLogger(Client.class);
    private static final int EVENTS = 1000;
    private static final long MOST_SKIPPED = 64L * 1024 * 1024;

    private final ByteChannel channel;
    private final String user;
    private final Supplier<Thread.Builder> threads;
    private final List<Answers> answers;
    private final Events events;
    private final int longest;
    private final ReentrantLock writing = new ReentrantLock();
    /** Since when, in nanoseconds, a line is under way that the client has to end; 0 when none is. */
    private final AtomicLong reading = new AtomicLong();
    /** The same for a line that it has to take. */
    private final AtomicLong sending = new AtomicLong();

    /** Taken while a request is answered. */
    private final Semaphore answering = new Semaphore(1);

    private volatile @Nullable RunningCall running;
    private volatile @Nullable Stream stream;

    /** {@code threads}: what may wait for the channel. */
    Client(Door.Visitor visitor, Supplier<Thread.Builder> threads, List<Answers> answers, Events events, int longest) {
        this.channel = visitor.channel();
        this.user = visitor.user().orElse("");
        this.threads = threads;
        this.answers = answers;
        this.events = events;
        this.longest = longest;
    }

    @Override
    public void run() {
        try (channel) {
            var lines = new Lines(channel, longest, () -> reading.compareAndSet(0, System.nanoTime()));
            try {
                serve(lines);
            } catch (Lines.TooLong e) {
                send(refusal(Failure.of("too_large", String.valueOf(e.getMessage()), "the connection is closed")));
                // Else the client, which still sends, would learn of a broken connection and nothing of the reason.
                lines.skip(MOST_SKIPPED);
            }
        } catch (IOException e) {
            LOG.debug("a client went away: {}", e.toString());
        } finally {
            unsubscribe();
        }
    }

    private void serve(Lines lines) throws IOException {
        for (String line = lines.next(); line != null; line = lines.next()) {
            reading.set(0);
            if (!line.isBlank()) {
                serve(line, lines);
            }
        }
    }

    /** Answers beside this thread, which sees meanwhile whether the client goes away. */
    private void serve(String line, Lines lines) throws IOException {
        var call = new RunningCall();
        running = call;
        answering.acquireUninterruptibly();
        threads.get().name("ipc-answer").start(() -> {
            try {
                send(answer(line, call));
                startStream();
            } catch (IOException e) {
                LOG.debug("a client went away: {}", e.toString());
                close();
            } finally {
                answering.release();
                call.end();
            }
        });
        try {
            if (!lines.more()) {
                call.halfGone();
            }
        } finally {
            if (!channel.isOpen()) {
                call.halfGone();
            }
            call.await();
            running = null;
        }
    }

    /** Ends a request for whose answer nobody waits any more. */
    void endCallInVain(Duration patience) {
        RunningCall call = running;
        if (call != null) {
            call.endIfInVain(patience, answers);
        }
    }

    /** Says why, and waits a moment for the client to read it and go. */
    void refuse(Failure failure) {
        try (channel) {
            send(refusal(failure));
            reading.set(System.nanoTime());
            new Lines(channel, longest, () -> {}).skip(longest);
        } catch (IOException e) {
            LOG.debug("a client went away: {}", e.toString());
        }
    }

    private static ObjectNode refusal(Failure failure) {
        ObjectNode answer = JSON.createObjectNode();
        answer.set("id", NullNode.instance);
        answer.set("error", failure.json());
        return answer;
    }

    /** Ends the connection when its client keeps it waiting since before that moment of {@link System#nanoTime}. */
    boolean closeIfWaitingSince(long before) {
        boolean late = late(reading.get(), before) || late(sending.get(), before);
        if (late) {
            close();
        }
        return late;
    }

    /** Lets the request that is being answered end, until that moment of {@link System#nanoTime}, and closes. */
    void finish(long until) {
        try {
            if (answering.tryAcquire(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                answering.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close();
    }

    private static boolean late(long since, long before) {
        return since != 0 && since - before < 0;
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing a client: {}", e.toString());
        }
    }

    private ObjectNode answer(String line, RunningCall call) {
        ObjectNode answer = JSON.createObjectNode();
        JsonNode id = NullNode.instance;
        Failure failure;
        try {
            JsonNode request = JSON.readTree(line);
            id = request.path("id").isValueNode() ? request.get("id") : id;
            answer.set("id", id);
            JsonNode params = request.path("params");
            if (!request.isObject()
                    || !request.path("method").isTextual()
                    || !(params.isObject() || params.isMissingNode() || params.isNull())) {
                failure = Failure.of(
                        "malformed", "not a request", "{\"id\": 1, \"method\": \"status.get\", \"params\": {}}");
            } else {
                ObjectNode given = params instanceof ObjectNode object ? object : JSON.createObjectNode();
                String method = request.get("method").asText();
                if (!method.equals(Dispatcher.CANCEL)) {
                    call.name(given);
                }
                JsonNode idOfAnswer = id;
                answer.set("result", Caller.asking(user, () -> result(method, given, idOfAnswer)));
                return answer;
            }
        } catch (JsonProcessingException | StackOverflowError e) {
            // Not the parser's text: it quotes the line, which may hold anything.
            failure = Failure.of("malformed", "not JSON", "one JSON object a line");
        } catch (UnknownMethod e) {
            failure = Failure.of(
                    "unknown_method",
                    "no method " + e.getMessage(),
                    "methods are called noun.verb, such as status.get");
        } catch (ApiException e) {
            failure = Failure.of(e);
        } catch (RuntimeException e) {
            LOG.error("a request failed", e);
            failure = Failure.of(
                    "internal", "the daemon failed at it: " + e.getClass().getSimpleName(), "see its log");
        }
        answer.set("id", id);
        answer.set("error", failure.json());
        return answer;
    }

    private static final class UnknownMethod extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnknownMethod(String method) {
            super(method.length() > 100 ? method.substring(0, 100) : method);
        }
    }

    private JsonNode result(String method, JsonNode params, JsonNode id) {
        return switch (method) {
            case "events.subscribe" -> subscribe(id);
            case "events.unsubscribe" -> {
                unsubscribe();
                yield JSON.createObjectNode();
            }
            default ->
                answers.stream()
                        .filter(some -> some.knows(method))
                        .findFirst()
                        .orElseThrow(() -> new UnknownMethod(method))
                        .answer(method, params);
        };
    }

    /** The events for this client; they are sent from the moment on when the request has been answered. */
    private final class Stream implements Runnable {
        private final BlockingQueue<Event> queue = new ArrayBlockingQueue<>(EVENTS);
        private final JsonNode id;
        private final Events.Subscription listening;
        private volatile boolean ended;
        private boolean started;

        Stream(JsonNode id) {
            this.id = id;
            this.listening = events.listen(this::take);
        }

        private void take(Event event) {
            if (!queue.offer(event)) {
                LOG.warn("a client does not take its events; its connection is closed");
                Client.this.close();
            }
        }

        void start() {
            if (!started) {
                started = true;
                threads.get().name("ipc-events").start(this);
            }
        }

        void end() {
            listening.close();
            ended = true;
        }

        @Override
        public void run() {
            try {
                while (!ended && channel.isOpen()) {
                    // Not interrupted at its end: that would close the channel.
                    Event event = queue.poll(1, TimeUnit.SECONDS);
                    if (event != null && !ended) {
                        ObjectNode line = JSON.createObjectNode();
                        line.set("id", id);
                        line.put("event", event.name());
                        line.put("at", event.at().toString());
                        line.set("data", JSON.valueToTree(event.data()));
                        send(line);
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                LOG.debug("a client went away: {}", e.toString());
            }
        }
    }

    private JsonNode subscribe(JsonNode id) {
        unsubscribe();
        stream = new Stream(id);
        return JSON.createObjectNode();
    }

    private void startStream() {
        Stream begun = stream;
        if (begun != null) {
            begun.start();
        }
    }

    private void unsubscribe() {
        Stream old = stream;
        stream = null;
        if (old != null) {
            old.end();
        }
    }

    private void send(ObjectNode line) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(JSON.writeValueAsString(line) + "\n");
        writing.lock();
        try {
            sending.set(System.nanoTime());
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } finally {
            sending.set(0);
            writing.unlock();
        }
    }
}
