package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.remote.Operation.None;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The operations of one noun of the api. What is made here is answered, too: an operation is one entry. There is no way to make
 * one without saying whether it only reads, for the certificate of a node gives the right to nothing more.
 */
final class Noun {
    private final String name;
    private final List<Operation<?, ?>> operations = new ArrayList<>();

    Noun(String name) {
        this.name = name;
    }

    /** All of them. */
    List<Operation<?, ?>> operations() {
        return Collections.unmodifiableList(operations);
    }

    /** An operation that only reads: it changes nothing, and reaches nobody but linked peers. */
    <P extends Record, R extends @Nullable Object> Operation<P, R> reading(
            String verb,
            Class<P> params,
            Map<String, ?> defaults,
            TypeReference<R> result,
            BiFunction<SteepRepl, P, R> answer) {
        return add(verb, params, defaults, result, true, answer);
    }

    /** One that only reads, all of whose parameters must be there. */
    <P extends Record, R extends @Nullable Object> Operation<P, R> reading(
            String verb, Class<P> params, TypeReference<R> result, BiFunction<SteepRepl, P, R> answer) {
        return reading(verb, params, Map.of(), result, answer);
    }

    /** One that only reads and has no parameters. */
    <R extends @Nullable Object> Operation<None, R> reading(
            String verb, TypeReference<R> result, Function<SteepRepl, R> answer) {
        return reading(verb, None.class, result, (node, _) -> answer.apply(node));
    }

    /** An operation that changes something, or does what not everybody who may read may have done. */
    <P extends Record, R extends @Nullable Object> Operation<P, R> changing(
            String verb,
            Class<P> params,
            Map<String, ?> defaults,
            TypeReference<R> result,
            BiFunction<SteepRepl, P, R> answer) {
        return add(verb, params, defaults, result, false, answer);
    }

    /** One that changes something, all of whose parameters must be there. */
    <P extends Record, R extends @Nullable Object> Operation<P, R> changing(
            String verb, Class<P> params, TypeReference<R> result, BiFunction<SteepRepl, P, R> answer) {
        return changing(verb, params, Map.of(), result, answer);
    }

    /** One that changes something and has no parameters. */
    <R extends @Nullable Object> Operation<None, R> changing(
            String verb, TypeReference<R> result, Function<SteepRepl, R> answer) {
        return changing(verb, None.class, result, (node, _) -> answer.apply(node));
    }

    /** One that has no result: what it does is all it is for. */
    <P extends Record> Operation<P, @Nullable Void> action(
            String verb, Class<P> params, Map<String, ?> defaults, BiConsumer<SteepRepl, P> act) {
        return changing(verb, params, defaults, new TypeReference<@Nullable Void>() {}, (node, in) -> {
            act.accept(node, in);
            return null;
        });
    }

    /** One that has no result. */
    <P extends Record> Operation<P, @Nullable Void> action(String verb, Class<P> params, BiConsumer<SteepRepl, P> act) {
        return action(verb, params, Map.of(), act);
    }

    /** One that has neither parameters nor a result. */
    Operation<None, @Nullable Void> action(String verb, Consumer<SteepRepl> act) {
        return action(verb, None.class, (node, _) -> act.accept(node));
    }

    private <P extends Record, R extends @Nullable Object> Operation<P, R> add(
            String verb,
            Class<P> params,
            Map<String, ?> defaults,
            TypeReference<R> result,
            boolean reads,
            BiFunction<SteepRepl, P, R> answer) {
        var operation = new Operation<>(name + "." + verb, params, result, defaults, reads, answer);
        operations.add(operation);
        return operation;
    }
}
