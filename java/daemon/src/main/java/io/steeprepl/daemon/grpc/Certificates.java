package io.steeprepl.daemon.grpc;

import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.netty.handler.ssl.SslContext;
import io.steeprepl.api.ApiException;
import io.steeprepl.remote.grpc.TlsContext;
import io.steeprepl.remote.grpc.TlsFiles;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;

/** The daemon's own certificate and whose it believes. Can be read anew; connections that are there stay. */
final class Certificates {
    private final AdvancedTlsX509KeyManager own = new AdvancedTlsX509KeyManager();
    private final AdvancedTlsX509TrustManager believed;
    private final SslContext context;
    private volatile Validity validity = new Validity(Instant.MIN, Instant.MAX);

    /** Throws {@link ApiException.Usage} when the files cannot be used. */
    Certificates(TlsFiles files) {
        try {
            believed = AdvancedTlsX509TrustManager.newBuilder()
                    .setVerification(AdvancedTlsX509TrustManager.Verification.CERTIFICATE_ONLY_VERIFICATION)
                    .build();
            load(files);
            context = TlsContext.server(own, believed);
        } catch (GeneralSecurityException e) {
            throw unusable(files, e);
        }
    }

    /** For the server. */
    SslContext context() {
        return context;
    }

    /**
     * Reads the files anew. When they cannot be used, what was there before goes on to count.
     *
     * @return when the daemon's certificate is valid
     * @throws ApiException.Usage when the files cannot be used, expired ones included
     */
    Validity load(TlsFiles files) {
        for (CertificateCheck.Finding found : CertificateCheck.of(files, Instant.now())) {
            throw found.problem();
        }
        X509Certificate[] chain = files.chain();
        PrivateKey key = files.privateKey();
        X509Certificate[] authorities = files.authorities();
        Validity dates = Validity.of(chain, authorities);
        try {
            believed.updateTrustCredentials(authorities);
            own.updateIdentityCredentials(chain, key);
        } catch (GeneralSecurityException | IOException e) {
            throw unusable(files, e);
        }
        validity = dates;
        return dates;
    }

    /** When the certificate that counts now is valid. */
    Validity validity() {
        return validity;
    }

    private static ApiException unusable(TlsFiles files, Exception e) {
        return new ApiException.Usage(
                "the certificate %s cannot be used".formatted(files.certificate()),
                String.valueOf(e.getMessage()),
                "steep-repl tls init makes certificates and keys that belong together");
    }
}
