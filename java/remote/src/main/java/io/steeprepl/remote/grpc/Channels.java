package io.steeprepl.remote.grpc;

import io.grpc.ManagedChannel;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.netty.handler.ssl.SslContext;
import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;

/** Makes channels to daemons. */
final class Channels {
    /** Answers may hold many rows. */
    private static final int LARGEST_ANSWER = 64 * 1024 * 1024;

    private Channels() {}

    /** {@code tls} is empty for plaintext, which is for this machine only. Nothing is connected yet. */
    static ManagedChannel to(Endpoint endpoint, Optional<TlsFiles> tls) {
        var builder = NettyChannelBuilder.forAddress(endpoint.host(), endpoint.port())
                .maxInboundMessageSize(LARGEST_ANSWER)
                // A proxy would have to be named by the user; the environment's is for the web.
                .proxyDetector(_ -> null)
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .directExecutor()
                .disableRetry();
        if (tls.isEmpty()) {
            if (!endpoint.loopback()) {
                throw new ApiException.Usage(
                        "%s is on another machine, and needs certificates".formatted(endpoint),
                        "without TLS only this machine's own daemon can be reached; steep-repl tls init makes certificates");
            }
            return builder.negotiationType(NegotiationType.PLAINTEXT).build();
        }
        return builder.sslContext(context(tls.get())).build();
    }

    private static SslContext context(TlsFiles tls) {
        try {
            var believed = AdvancedTlsX509TrustManager.newBuilder().build();
            believed.updateTrustCredentials(tls.authorities());
            return TlsContext.client(own(tls), believed);
        } catch (GeneralSecurityException | IOException | IllegalArgumentException e) {
            throw new ApiException.Usage(
                    "the certificate %s cannot be used".formatted(tls.certificate()),
                    String.valueOf(e.getMessage()),
                    "do certificate and key belong together?");
        }
    }

    /** The JDK's own, which shows the certificate only to a side that believes its authority. */
    private static KeyManager own(TlsFiles tls) throws GeneralSecurityException, IOException {
        char[] none = {};
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        store.setKeyEntry("own", tls.privateKey(), none, tls.chain());
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, none);
        return factory.getKeyManagers()[0];
    }
}
