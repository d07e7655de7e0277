package io.steeprepl.remote.grpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.steeprepl.api.ApiException;

/** What gRPC itself reports, as the api's errors. */
final class GrpcFailure {
    private GrpcFailure() {}

    /** {@code cancelled}: whether this side asked for the end. */
    static ApiException translate(StatusRuntimeException error, Endpoint endpoint, boolean cancelled) {
        Status status = error.getStatus();
        String said = status.getDescription();
        if (cancelled && status.getCode() == Status.Code.CANCELLED) {
            return new ApiException.Cancelled("cancelled", error);
        }
        if (Refused.isCall(error)) {
            return new ApiException.Failed(
                    null,
                    "the daemon at %s refuses this call".formatted(endpoint),
                    said,
                    "use a certificate whose name stands in the daemon's repl.grpc.allow; others are for reading",
                    error);
        }
        return switch (status.getCode()) {
            case DEADLINE_EXCEEDED ->
                new ApiException.TimedOut(
                        null, "the daemon at %s did not answer in time".formatted(endpoint), said, null, error);
            case UNAUTHENTICATED, PERMISSION_DENIED ->
                new ApiException.CannotConnect(
                        null,
                        "the daemon at %s refuses this certificate".formatted(endpoint),
                        said,
                        "its name must be that of a registered node, or stand in the daemon's repl.grpc.allow or allow_reading",
                        error);
            case UNAVAILABLE -> {
                Unreachable unreachable = Unreachable.because(status);
                yield new ApiException.CannotConnect(
                        null,
                        "cannot connect to the daemon at " + endpoint,
                        unreachable.why(),
                        unreachable.remedy(),
                        error);
            }
            default ->
                new ApiException.Failed(
                        null,
                        "the daemon at %s failed: %s".formatted(endpoint, status.getCode()),
                        Unreachable.because(status).why(),
                        "do this program and the daemon have the same version? see its log",
                        error);
        };
    }
}
