package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.node.ObjectNode;
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

/** The operations of one noun of the api. What is made here is answered, too: an operation is one entry. */
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

    /** An operation with parameters of which some may be left out. */
    <P extends Record, R extends @Nullable Object> Operation<P, R> operation(
            String verb,
            Class<P> params,
            Map<String, ?> defaults,
            TypeReference<R> result,
            BiFunction<SteepRepl, P, R> answer) {
        ObjectNode leftOut = Codec.object();
        defaults.forEach((parameter, value) -> leftOut.set(parameter, Codec.encode(value)));
        var operation = new Operation<>(name + "." + verb, params, result, leftOut, answer);
        operations.add(operation);
        return operation;
    }

    /** An operation with parameters. */
    <P extends Record, R extends @Nullable Object> Operation<P, R> operation(
            String verb, Class<P> params, TypeReference<R> result, BiFunction<SteepRepl, P, R> answer) {
        return operation(verb, params, Map.of(), result, answer);
    }

    /** An operation without parameters. */
    <R extends @Nullable Object> Operation<None, R> operation(
            String verb, TypeReference<R> result, Function<SteepRepl, R> answer) {
        return operation(verb, None.class, result, (node, _) -> answer.apply(node));
    }

    /** An operation that has no result. */
    <P extends Record> Operation<P, @Nullable Void> action(
            String verb, Class<P> params, Map<String, ?> defaults, BiConsumer<SteepRepl, P> act) {
        return operation(verb, params, defaults, new TypeReference<@Nullable Void>() {}, (node, in) -> {
            act.accept(node, in);
            return null;
        });
    }

    /** An operation that has no result. */
    <P extends Record> Operation<P, @Nullable Void> action(String verb, Class<P> params, BiConsumer<SteepRepl, P> act) {
        return action(verb, params, Map.of(), act);
    }

    /** An operation that has neither parameters nor a result. */
    Operation<None, @Nullable Void> action(String verb, Consumer<SteepRepl> act) {
        return action(verb, None.class, (node, _) -> act.accept(node));
    }
}
