package io.steeprepl.daemon.grpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.PKIXReason;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Stands before gRPC's own handlers and sees how the TLS handshake ends; gRPC itself keeps that to itself. */
final class HandshakeWatch extends ChannelInboundHandlerAdapter {
    /** Causes may go round in a circle. */
    private static final int DEEPEST = 20;

    private final Refusals refusals;
    private final AtomicReference<@Nullable Runnable> end;

    /** {@code end}: what is to be done once when the handshake has ended, or the connection before it. */
    HandshakeWatch(Refusals refusals, Runnable end) {
        this.refusals = refusals;
        this.end = new AtomicReference<>(end);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        context.channel().closeFuture().addListener(_ -> ended());
    }

    private void ended() {
        Runnable last = end.getAndSet(null);
        if (last != null) {
            last.run();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object bytes) {
        // With the first bytes the handler for TLS is there.
        SslHandler tls = context.pipeline().get(SslHandler.class);
        if (tls == null) {
            ended();
        } else {
            SocketAddress from = context.channel().remoteAddress();
            tls.handshakeFuture().addListener(done -> {
                ended();
                Throwable error = done.cause();
                // Who leaves in the middle of it, such as a probe, was not refused.
                if (error != null && !(error instanceof ClosedChannelException)) {
                    refusals.add(from, reason(error));
                }
            });
        }
        context.pipeline().remove(this);
        context.fireChannelRead(bytes);
    }

    /** What is at the bottom of it says most. Its text may be what the other side has sent, so it tells nothing apart. */
    static Reason reason(Throwable error) {
        Throwable cause = bottom(error);
        String said = String.valueOf(cause.getMessage());
        return switch (cause) {
            case NotSslRecordException _ -> new Reason("plaintext", "it does not speak TLS");
            case CertificateExpiredException _ -> new Reason("expired", "its certificate has expired: " + said);
            case CertificateNotYetValidException _ ->
                new Reason("not yet valid", "its certificate is not yet valid: " + said);
            case SSLException _
            when said.contains("Empty client certificate chain") ->
                new Reason("no certificate", "it has no certificate");
            case CertPathValidatorException e
            when e.getReason() == PKIXReason.NO_TRUST_ANCHOR ->
                new Reason("another CA", "its certificate is of another CA: " + said);
            case CertPathBuilderException _ -> new Reason("another CA", "its certificate is of another CA: " + said);
            default -> new Reason(cause.getClass().getSimpleName(), "the TLS handshake failed: " + said);
        };
    }

    private static Throwable bottom(Throwable error) {
        Throwable cause = error;
        for (int depth = 0; depth < DEEPEST && cause.getCause() != null; depth++) {
            cause = cause.getCause();
        }
        return cause;
    }
}
