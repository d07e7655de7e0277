package io.steeprepl.remote.grpc;

import io.netty.handler.codec.http2.Http2SecurityUtil;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.security.GeneralSecurityException;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/**
 * TLS 1.3 of the JDK for gRPC, with certificates on both sides. Not by netty's builder: that loads all of Bouncy Castle
 * where it is on the class path, which takes longer than the rest of the start, and ten megabytes.
 */
public final class TlsContext {
    private static final String VERSION = "TLSv1.3";
    private static final ApplicationProtocolConfig HTTP2 = new ApplicationProtocolConfig(
            Protocol.ALPN,
            SelectorFailureBehavior.NO_ADVERTISE,
            SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_2);

    private TlsContext() {}

    /** For the side that listens: it wants a certificate of whoever comes. */
    public static SslContext server(KeyManager own, TrustManager believed) throws GeneralSecurityException {
        return of(own, believed, false, ClientAuth.REQUIRE);
    }

    /** For the side that connects; gRPC has the name of the other side compared. */
    public static SslContext client(KeyManager own, TrustManager believed) throws GeneralSecurityException {
        return of(own, believed, true, ClientAuth.NONE);
    }

    private static SslContext of(KeyManager own, TrustManager believed, boolean client, ClientAuth others)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance(VERSION);
        context.init(new KeyManager[] {own}, new TrustManager[] {believed}, null);
        return new JdkSslContext(
                context,
                client,
                Http2SecurityUtil.CIPHERS,
                SupportedCipherSuiteFilter.INSTANCE,
                HTTP2,
                others,
                new String[] {VERSION},
                false);
    }
}
