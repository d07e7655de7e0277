package io.steeprepl.daemon.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Lets calls through only from members. It asks at each call, not once a connection: a node that is removed is refused
 * from then on.
 */
record MemberCheck(Members members, Refusals refusals) implements ServerInterceptor {
    /** The name of who calls: the certificate's common name, or else its first DNS name. */
    static final Context.Key<String> CALLER = Context.key("caller");

    private static final SocketAddress UNKNOWN = InetSocketAddress.createUnresolved("unknown", 0);

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        Optional<Refusal> refusal = refusal(session);
        if (refusal.isEmpty()) {
            String name = Names.of(Objects.requireNonNull(certificate(session)))
                    .iterator()
                    .next();
            return Contexts.interceptCall(Context.current().withValue(CALLER, name), call, headers, next);
        }
        Reason reason = refusal.get().reason();
        if (reason != null) {
            SocketAddress from = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
            refusals.add(Objects.requireNonNullElse(from, UNKNOWN), reason);
        }
        call.close(refusal.get().status(), new Metadata());
        return new ServerCall.Listener<>() {};
    }

    /** {@code reason}: what to say about it; null when it is no fault of the caller. */
    private record Refusal(Status status, @Nullable Reason reason) {}

    private Optional<Refusal> refusal(@Nullable SSLSession session) {
        X509Certificate certificate = certificate(session);
        if (certificate == null) {
            return denied("no certificate", "the connection has no certificate");
        }
        // The handshake has looked at it once; connections may live longer than certificates.
        if (certificate.getNotAfter().toInstant().isBefore(Instant.now())) {
            return denied("expired", "its certificate has expired: NotAfter: " + certificate.getNotAfter());
        }
        Set<String> names = Names.of(certificate);
        return switch (members.judge(names)) {
            case LET_IN -> Optional.empty();
            case REFUSED ->
                // The names are told apart: the authority has signed them, so that a stranger cannot make them up.
                denied(
                        "no node: " + Reason.printable(String.join(", ", names)),
                        "its certificate is that of %s, which is no registered node"
                                .formatted(String.join(", ", names)));
            case UNKNOWN ->
                Optional.of(new Refusal(
                        Status.UNAVAILABLE.withDescription("the daemon has not read its registry of nodes yet"), null));
        };
    }

    private static @Nullable X509Certificate certificate(@Nullable SSLSession session) {
        try {
            return session != null && session.getPeerCertificates()[0] instanceof X509Certificate found ? found : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    private static Optional<Refusal> denied(String kind, String why) {
        Reason reason = new Reason(kind, why);
        return Optional.of(new Refusal(Status.PERMISSION_DENIED.withDescription(reason.text()), reason));
    }
}
