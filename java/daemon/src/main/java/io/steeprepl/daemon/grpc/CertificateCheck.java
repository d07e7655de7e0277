package io.steeprepl.daemon.grpc;

import io.steeprepl.api.ApiException;
import io.steeprepl.remote.grpc.TlsFiles;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Whether the files of a daemon's certificate can be used. */
public final class CertificateCheck {
    /** In which of the files something is wrong. */
    public enum Part {
        AUTHORITY,
        CERTIFICATE,
        KEY
    }

    /** What is wrong there; {@code passing}: it will be right by itself, as for a clock that is not set yet early in a boot. */
    public record Finding(Part part, ApiException.Usage problem, boolean passing) {
        Finding(Part part, ApiException.Usage problem) {
            this(part, problem, false);
        }
    }

    private CertificateCheck() {}

    /** All that is wrong, as of that moment. */
    public static List<Finding> of(TlsFiles files, Instant now) {
        List<Finding> found = new ArrayList<>();
        Optional<X509Certificate[]> authorities = read(Part.AUTHORITY, files::authorities, found);
        Optional<X509Certificate[]> chain = read(Part.CERTIFICATE, files::chain, found);
        Optional<PrivateKey> key = read(Part.KEY, files::privateKey, found);
        if (chain.isPresent() && key.isPresent()) {
            pair(chain.get()[0], key.get(), files).ifPresent(problem -> found.add(new Finding(Part.KEY, problem)));
        }
        if (chain.isPresent() && authorities.isPresent()) {
            Validity dates = Validity.of(chain.get(), authorities.get());
            dates.problem(now)
                    .ifPresent(problem -> found.add(new Finding(Part.CERTIFICATE, problem, !dates.expired(now))));
        }
        return found;
    }

    private static <T> Optional<T> read(Part part, Supplier<T> file, List<Finding> found) {
        try {
            return Optional.of(file.get());
        } catch (ApiException.Usage e) {
            found.add(new Finding(part, e));
            return Optional.empty();
        }
    }

    private static Optional<ApiException.Usage> pair(X509Certificate certificate, PrivateKey key, TlsFiles files) {
        try {
            KeyPairs.check(certificate.getPublicKey(), key);
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            return Optional.of(new ApiException.Usage(
                    "the key %s is not that of the certificate %s".formatted(files.key(), files.certificate()),
                    e.getMessage(),
                    "steep-repl tls init makes certificates and keys that belong together"));
        }
    }
}
