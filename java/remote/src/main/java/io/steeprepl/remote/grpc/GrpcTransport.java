package io.steeprepl.remote.grpc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.steeprepl.remote.Transport;
import io.steeprepl.remote.grpc.v1.CallReply;
import io.steeprepl.remote.grpc.v1.CallRequest;
import io.steeprepl.remote.grpc.v1.CoordinatorGrpc;
import io.steeprepl.remote.grpc.v1.HealthRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Calls of a daemon over gRPC. */
public final class GrpcTransport implements Transport {
    private final Endpoint endpoint;
    private final Duration timeout;
    private final ManagedChannel channel;
    private volatile Context.@Nullable CancellableContext running;

    private GrpcTransport(Endpoint endpoint, Duration timeout, ManagedChannel channel) {
        this.endpoint = endpoint;
        this.timeout = timeout;
        this.channel = channel;
    }

    /**
     * A way to a daemon; the first call connects.
     *
     * @param tls this side's certificates; empty for plaintext, which is for this machine only
     * @param timeout how long an answer may take
     */
    public static GrpcTransport to(Endpoint endpoint, Optional<TlsFiles> tls, Duration timeout) {
        return new GrpcTransport(endpoint, timeout, Channels.to(endpoint, tls));
    }

    @Override
    public JsonNode call(String method, ObjectNode params) {
        CallRequest request = Mapper.request(method, params);
        CallReply reply = within(stub -> stub.call(request));
        return Mapper.result(reply);
    }

    /** Asks how the daemon is, as the node {@code asking}. Throws {@link io.steeprepl.api.ApiException}. */
    public PeerHealth health(String asking) {
        HealthRequest request = HealthRequest.newBuilder().setNodeId(asking).build();
        return Mapper.health(within(stub -> stub.health(request)));
    }

    private interface Ask<T> {
        T ask(CoordinatorGrpc.CoordinatorBlockingStub stub);
    }

    private <T> T within(Ask<T> ask) {
        Context.CancellableContext context = Context.current().withCancellation();
        running = context;
        // Who asks now wants to know now, not after the wait that follows failed attempts.
        channel.resetConnectBackoff();
        Context before = context.attach();
        try {
            return ask.ask(CoordinatorGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS));
        } catch (StatusRuntimeException e) {
            throw GrpcFailure.translate(e, endpoint, context.isCancelled());
        } finally {
            context.detach(before);
            context.cancel(null);
            running = null;
        }
    }

    @Override
    public void cancel() {
        Context.CancellableContext context = running;
        if (context != null) {
            context.cancel(new CancellationException("cancelled by the caller"));
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
