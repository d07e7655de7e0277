package io.steeprepl.daemon.grpc;

import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Lets calls through only from members. It asks at each call, not once a connection: a node that is removed is refused
 * from then on.
 */
record MemberCheck(Members members, Refusals refusals) implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return switch (judge(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION))) {
            case LetIn(String name, Rights rights) ->
                new Guest(name, rights, Guest.from(call)).calls(call, headers, next);
            case Refusal(Status status, Reason reason) -> {
                if (reason != null) {
                    refusals.add(Guest.from(call), reason);
                }
                call.close(status, new Metadata());
                yield new ServerCall.Listener<>() {};
            }
        };
    }

    private sealed interface Judgement {}

    private record LetIn(String name, Rights rights) implements Judgement {}

    /** {@code reason}: what to say about it; null when it is no fault of the caller. */
    private record Refusal(Status status, @Nullable Reason reason) implements Judgement {}

    private Judgement judge(@Nullable SSLSession session) {
        X509Certificate certificate = certificate(session);
        if (certificate == null) {
            return denied("no certificate", "the connection has no certificate");
        }
        // The handshake has looked at it once; connections may live longer than certificates.
        if (certificate.getNotAfter().toInstant().isBefore(Instant.now())) {
            return denied("expired", "its certificate has expired: NotAfter: " + certificate.getNotAfter());
        }
        Optional<String> name = Names.of(certificate);
        return name.isEmpty() ? denied("no name", "its certificate has no common name, or several") : judge(name.get());
    }

    private Judgement judge(String name) {
        return switch (members.judge(name)) {
            case ALLOWED -> new LetIn(name, Rights.ALL);
            case READER -> new LetIn(name, Rights.READING);
            case REFUSED ->
                // The names are told apart: the authority has signed them, so that a stranger cannot make them up.
                denied(
                        "no node: " + Reason.printable(name),
                        "its certificate is that of %s, which is no registered node".formatted(name));
            case UNKNOWN ->
                new Refusal(
                        Status.UNAVAILABLE.withDescription("the daemon has not read its registry of nodes yet"), null);
        };
    }

    private static @Nullable X509Certificate certificate(@Nullable SSLSession session) {
        try {
            return session != null && session.getPeerCertificates()[0] instanceof X509Certificate found ? found : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    private static Refusal denied(String kind, String why) {
        Reason reason = new Reason(kind, why);
        return new Refusal(Status.PERMISSION_DENIED.withDescription(reason.text()), reason);
    }
}
