package io.steeprepl.daemon.grpc;

import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What there is to say of the daemon's certificate as time goes by. */
final class CertificateHealth {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcServer.class);

    private final Supplier<Optional<Validity>> validity;
    private volatile @Nullable String refusal;
    private String said = "";

    /** {@code validity}: of the certificate that counts; empty without any. */
    CertificateHealth(Supplier<Optional<Validity>> validity) {
        this.validity = validity;
    }

    /** New files were read. */
    void read() {
        refusal = null;
    }

    /** New files cannot be used: that shows when the old ones are over, unless somebody says it. */
    void refused(String why) {
        refusal = "the certificates were not read again, those before still count: " + why;
    }

    /** Why nobody is served; empty when all are. */
    Optional<String> problem(Instant now) {
        return validity.get()
                .filter(dates -> dates.expired(now))
                .map(dates -> "the daemon's certificate has expired at %s: peers and --remote do not believe it"
                        .formatted(dates.until()));
    }

    /** What will do harm. */
    Optional<String> warning(Instant now) {
        return Optional.ofNullable(refusal).or(() -> validity.get().flatMap(dates -> dates.warning(now)));
    }

    /** Writes into the log what is new about the dates, once. */
    synchronized void say(Instant now) {
        Optional<String> over = problem(now);
        Optional<String> soon = validity.get().flatMap(dates -> dates.warning(now));
        String kind = over.isPresent() ? "over" : soon.isPresent() ? "soon" : "";
        if (!kind.equals(said)) {
            said = kind;
            over.ifPresent(LOG::error);
            soon.ifPresent(LOG::warn);
        }
    }
}
