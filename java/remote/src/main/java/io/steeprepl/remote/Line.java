package io.steeprepl.remote;

import org.jspecify.annotations.Nullable;

/** The asking end of a line. */
record Line(Transport transport) {
    <P extends Record, R extends @Nullable Object> R call(Operation<P, R> operation, P params) {
        return Codec.decode(operation, transport.call(operation.name(), Codec.encodeParams(params)));
    }

    <R extends @Nullable Object> R call(Operation<Operation.None, R> operation) {
        return call(operation, Operation.None.NONE);
    }
}
