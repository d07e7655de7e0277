package io.steeprepl.remote.grpc;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** Tells a call that is not for this caller from a caller who is let in for none. */
public final class Refused {
    private static final Metadata.Key<String> WHAT =
            Metadata.Key.of("steep-repl-refused", Metadata.ASCII_STRING_MARSHALLER);
    private static final String CALL = "call";

    private Refused() {}

    /** The answer to a call that is not for this caller. */
    public static StatusRuntimeException call(String why) {
        var trailers = new Metadata();
        trailers.put(WHAT, CALL);
        return Status.PERMISSION_DENIED.withDescription(why).asRuntimeException(trailers);
    }

    static boolean isCall(StatusRuntimeException error) {
        Metadata trailers = error.getTrailers();
        return trailers != null && CALL.equals(trailers.get(WHAT));
    }
}
