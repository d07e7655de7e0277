package io.steeprepl.config.repl;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where other nodes and {@code --remote} reach this daemon.
 *
 * @param tls empty only when {@code insecure}, or not enabled
 * @param insecure without certificates, on a loopback address
 * @param allow names of certificates that may do everything, beside those of registered nodes, which may read
 * @param allowReading further names that may read
 */
public record GrpcSettings(
        boolean enabled,
        String bind,
        int port,
        Optional<Tls> tls,
        boolean insecure,
        List<String> allow,
        List<String> allowReading) {
    /** Files in PEM. */
    public record Tls(Path certificate, Path key, Path authority) {}

    static GrpcSettings of(Values values) {
        Optional<Tls> tls = values.find(Keys.CERT_FILE)
                .flatMap(certificate -> values.find(Keys.KEY_FILE)
                        .flatMap(key ->
                                values.find(Keys.CA_FILE).map(authority -> new Tls(certificate, key, authority))));
        boolean insecure = values.get(Keys.GRPC_INSECURE);
        return new GrpcSettings(
                values.find(Keys.GRPC_ENABLED).orElse(tls.isPresent() || insecure),
                values.get(Keys.GRPC_BIND),
                values.get(Keys.GRPC_PORT),
                tls,
                insecure,
                values.get(Keys.GRPC_ALLOW),
                values.get(Keys.GRPC_ALLOW_READING));
    }
}
