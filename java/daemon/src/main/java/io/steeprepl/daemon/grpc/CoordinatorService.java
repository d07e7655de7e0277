package io.steeprepl.daemon.grpc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import io.steeprepl.api.ApiException;
import io.steeprepl.daemon.ipc.Answers;
import io.steeprepl.remote.Caller;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.remote.Errors;
import io.steeprepl.remote.grpc.Mapper;
import io.steeprepl.remote.grpc.PeerHealth;
import io.steeprepl.remote.grpc.Refused;
import io.steeprepl.remote.grpc.v1.CallReply;
import io.steeprepl.remote.grpc.v1.CallRequest;
import io.steeprepl.remote.grpc.v1.CoordinatorGrpc;
import io.steeprepl.remote.grpc.v1.HealthReply;
import io.steeprepl.remote.grpc.v1.HealthRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers calls, and peers that ask how the node is. Runs on virtual threads, which may wait. */
final class CoordinatorService extends CoordinatorGrpc.CoordinatorImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorService.class);

    private static final Duration AGAIN = Duration.ofMillis(200);

    private final LongAdder calls = new LongAdder();
    private final List<Answers> answers;
    private final Supplier<PeerHealth> health;
    private final Refusals refusals;
    private final Duration longest;
    private final ScheduledExecutorService clock;

    /** {@code longest}: how long a call may take whose caller has set no deadline. */
    CoordinatorService(
            List<Answers> answers,
            Supplier<PeerHealth> health,
            Refusals refusals,
            Duration longest,
            ScheduledExecutorService clock) {
        this.answers = answers;
        this.health = health;
        this.refusals = refusals;
        this.longest = longest;
        this.clock = clock;
    }

    @Override
    public void health(HealthRequest request, StreamObserver<HealthReply> answer) {
        answer.onNext(Mapper.reply(health.get()));
        answer.onCompleted();
    }

    @Override
    public void call(CallRequest request, StreamObserver<CallReply> answer) {
        Guest guest = Guest.current();
        if (!may(guest, request.getMethod())) {
            Reason reason = guest.mayNot(request.getMethod());
            refusals.add(guest.from(), reason);
            answer.onError(Refused.call(reason.text()));
            return;
        }
        Context.CancellableContext context =
                Context.current().withDeadlineAfter(longest.toMillis(), TimeUnit.MILLISECONDS, clock);
        try {
            CallReply reply = reply(request, guest.name(), context);
            // Nobody waits any more when the other side has given up.
            if (!context.isCancelled()) {
                answer.onNext(reply);
                answer.onCompleted();
            }
        } finally {
            context.cancel(null);
        }
    }

    long calls() {
        return calls.sum();
    }

    /** Of a method that nobody knows everybody may hear so. */
    private boolean may(Guest guest, String method) {
        return guest.rights() == Rights.ALL
                || answering(method).map(known -> known.reads(method)).orElse(true);
    }

    private CallReply reply(CallRequest request, @Nullable String caller, Context.CancellableContext context) {
        calls.increment();
        var ended = new CountDownLatch(1);
        try {
            if (!(Mapper.params(request) instanceof ObjectNode params)) {
                throw new ApiException.Usage("the parameters must be an object", "{}");
            }
            // The caller's own ids may be another's too.
            String id = UUID.randomUUID().toString();
            params.put(Dispatcher.CALL_ID, id);
            context.addListener(
                    _ -> cancel(id, ended), command -> Thread.ofVirtual().start(command));
            return Mapper.reply(
                    caller == null
                            ? answer(request.getMethod(), params)
                            : Caller.asking(caller, () -> answer(request.getMethod(), params)));
        } catch (ApiException e) {
            return Mapper.reply(e);
        } catch (RuntimeException e) {
            LOG.error("the call {} failed", request.getMethod(), e);
            return Mapper.reply(Errors.unexpected(e));
        } finally {
            ended.countDown();
        }
    }

    private JsonNode answer(String method, JsonNode params) {
        return answering(method)
                .orElseThrow(() -> new ApiException.Usage(
                        "there is no method \"%s\"".formatted(method),
                        "the api's methods: " + String.join(", ", Dispatcher.methods())))
                .answer(method, params);
    }

    private Optional<Answers> answering(String method) {
        return answers.stream().filter(some -> some.knows(method)).findFirst();
    }

    /** Again until it has ended: a call may be so young that nobody knows its id yet. */
    private void cancel(String id, CountDownLatch ended) {
        try {
            do {
                answer(Dispatcher.CANCEL, Codec.object().put(Dispatcher.CALL_ID, id));
            } while (!ended.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ApiException e) {
            LOG.warn("a call could not be cancelled: {}", e.message());
        }
    }
}
