package io.steeprepl.daemon.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who calls.
 *
 * @param name the common name of the certificate, null without one
 * @param from whence
 */
record Guest(@Nullable String name, Rights rights, SocketAddress from) {
    private static final SocketAddress UNKNOWN = InetSocketAddress.createUnresolved("unknown", 0);

    /** Whoever was not looked at may do least. */
    private static final Context.Key<Guest> CURRENT =
            Context.keyWithDefault("guest", new Guest(null, Rights.READING, UNKNOWN));

    /** Of the call that is answered. */
    static Guest current() {
        return CURRENT.get();
    }

    /** Without certificates anybody on this machine may come. */
    static final ServerInterceptor ANYBODY = new ServerInterceptor() {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            return new Guest(null, Rights.READING, from(call)).calls(call, headers, next);
        }
    };

    /** Lets the call through. */
    <Q, A> ServerCall.Listener<Q> calls(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return Contexts.interceptCall(Context.current().withValue(CURRENT, this), call, headers, next);
    }

    static SocketAddress from(ServerCall<?, ?> call) {
        return Objects.requireNonNullElse(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR), UNKNOWN);
    }

    /** Why that method is not for this one. */
    Reason mayNot(String method) {
        String who = name == null ? "without certificates" : "with the certificate of %s".formatted(name);
        return new Reason(
                "%s: not %s".formatted(who, method), "%s one may only read, and %s does more".formatted(who, method));
    }
}
