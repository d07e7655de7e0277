package io.steeprepl.remote.grpc;

import io.grpc.Status;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Objects;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Why there is no connection to a daemon, and what to do now. The JDK's words alone say it only to those who know TLS.
 *
 * @param why null where nobody says
 */
record Unreachable(@Nullable String why, String remedy) {
    private static final String ANEW = "steep-repl tls init makes certificates";
    /** What netty and grpc-netty call a side that says nothing, or ends, before there is TLS or HTTP/2. */
    private static final String SILENT = "handshake timed out";

    private static final String CLOSED = "Network closed";

    static Unreachable because(Status status) {
        Throwable cause = status.getCause();
        if (cause == null) {
            return of(status.getDescription());
        }
        // What is at the bottom of it says most.
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return of(cause, Objects.requireNonNullElse(cause.getMessage(), cause.toString()));
    }

    private static Unreachable of(@Nullable String said) {
        return said != null && said.startsWith(CLOSED)
                ? new Unreachable(
                        "the other side ended the connection: " + said,
                        "is that a daemon's port, and does it want certificates (--certs)?")
                : new Unreachable(said, "is it running there? on its machine: steep-repl status");
    }

    private static Unreachable of(Throwable cause, String said) {
        return switch (cause) {
            case ConnectException _ ->
                new Unreachable(
                        said,
                        "is it running there, on that port (its repl.grpc.port)? on its machine: steep-repl status");
            case UnknownHostException _ -> new Unreachable("nobody knows the host: " + said, "is the name right?");
            case CertificateExpiredException _, CertificateNotYetValidException _ ->
                new Unreachable(
                        "the daemon's certificate is not valid now: " + said,
                        "are the clocks right? %s, --force anew, on behalf of its node".formatted(ANEW));
            case CertPathValidatorException _, CertPathBuilderException _ ->
                new Unreachable(
                        "the daemon's certificate is not of the authority that is trusted here: " + said,
                        "ca-cert.pem in --certs, or repl.grpc.tls.ca_file, must be that of the daemon's authority");
            // Of the exceptions about certificates this one has no class of its own.
            case CertificateException _ ->
                new Unreachable(
                        "the daemon's certificate is not for this name: " + said,
                        "name a host that stands in it, or make it anew: steep-repl tls init --force NODE=HOST");
            case SSLException _
            when said.contains("fatal alert") ->
                new Unreachable(
                        "the daemon does not take this certificate: " + said,
                        "has it expired, or is it of another authority? the daemon's log says it; " + ANEW);
            case SSLException _
            when said.startsWith(SILENT) ->
                new Unreachable(
                        "it does not answer as a daemon does: " + said,
                        "is that a daemon's port (its repl.grpc.port), with certificates?");
            default -> of(said);
        };
    }
}
