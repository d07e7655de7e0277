package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.SteepRepl;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * One method of the api as it travels.
 *
 * @param name noun.verb, public
 * @param params the record whose components are the parameters
 * @param result what comes back; null may come back too
 * @param defaults what stands for a parameter that is left out, where that is neither nullable nor a boolean
 * @param reads whether it changes nothing, so that everybody who is let in may have it done
 * @param answer what the other end does
 */
record Operation<P extends Record, R extends @Nullable Object>(
        String name,
        Class<P> params,
        TypeReference<R> result,
        Map<String, ?> defaults,
        boolean reads,
        BiFunction<SteepRepl, P, R> answer) {

    /** The parameters of an operation that has none. */
    record None() {
        static final None NONE = new None();
    }

    /** The parameters of an operation on one thing that has a number. */
    record Numbered(long id) {}
}
