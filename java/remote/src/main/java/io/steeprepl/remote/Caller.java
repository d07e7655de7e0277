package io.steeprepl.remote;

import java.util.Optional;
import java.util.function.Supplier;

/** Who asks, while a request is answered: the name in a certificate, or the account at the other end of a socket. */
public final class Caller {
    private static final ScopedValue<String> NAME = ScopedValue.newInstance();

    private Caller() {}

    /** Answers in somebody's name. */
    public static <T> T asking(String name, Supplier<T> answer) {
        return ScopedValue.where(NAME, name).call(answer::get);
    }

    /** Who asks; empty where nobody does, or it is not known. */
    public static Optional<String> current() {
        return NAME.isBound() ? Optional.of(NAME.get()) : Optional.empty();
    }
}
