package io.steeprepl.daemon.grpc;

import io.steeprepl.api.ApiException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;

/**
 * When a daemon's certificate is valid. After that nobody believes it any more, and all peers lose each other at once.
 *
 * @param until the end of its own, of one that leads to the authority, or of the last authority, whichever comes first
 */
public record Validity(Instant from, Instant until) {
    /** From when on it is said that a new one is needed. */
    static final Duration SOON = Duration.ofDays(30);

    /** {@code chain}: its own first. */
    static Validity of(X509Certificate[] chain, X509Certificate[] authorities) {
        Instant last = Arrays.stream(authorities)
                .map(Validity::end)
                .max(Comparator.naturalOrder())
                .orElse(Instant.MAX);
        Instant first = Arrays.stream(chain)
                .map(Validity::end)
                .min(Comparator.naturalOrder())
                .orElse(Instant.MAX);
        Instant from = Arrays.stream(chain)
                .map(one -> one.getNotBefore().toInstant())
                .max(Comparator.naturalOrder())
                .orElse(Instant.MIN);
        return new Validity(from, last.isBefore(first) ? last : first);
    }

    private static Instant end(X509Certificate certificate) {
        return certificate.getNotAfter().toInstant();
    }

    boolean expired(Instant now) {
        return now.isAfter(until);
    }

    /** That it will soon be over; empty while there is time, and when it is over. */
    Optional<String> warning(Instant now) {
        return expired(now) || now.plus(SOON).isBefore(until)
                ? Optional.empty()
                : Optional.of(
                        "the daemon's certificate expires at %s, in %d days; steep-repl tls init --force makes a new one"
                                .formatted(until, Duration.between(now, until).toDays()));
    }

    /** Why it cannot be used now; empty when it can. */
    public Optional<ApiException.Usage> problem(Instant now) {
        if (expired(now)) {
            return Optional.of(new ApiException.Usage(
                    "the certificate, or its authority's, has expired at " + until,
                    "steep-repl tls init --force makes a new one"));
        }
        return now.isBefore(from)
                ? Optional.of(new ApiException.Usage(
                        "the certificate is not valid before " + from, "is the clock of this machine right?"))
                : Optional.empty();
    }
}
