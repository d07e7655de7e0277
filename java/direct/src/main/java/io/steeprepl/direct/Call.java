package io.steeprepl.direct;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A call of an SQL function with named arguments, where an argument that is null is left to its default. */
final class Call {
    private final String function;
    private final List<String> names = new ArrayList<>();
    private final List<Object> values = new ArrayList<>();

    private Call(String function) {
        this.function = function;
    }

    /** A call of a function of the schema steep_repl; {@code function} is never a user's text. */
    static Call of(String function) {
        return new Call(function);
    }

    /** Adds an argument; its name is never a user's text, its value is bound. */
    Call with(String name, @Nullable Object value) {
        return with(name, "?", value);
    }

    /** The same, given as an expression of the value, ?::uuid for example; also that is never a user's text. */
    Call with(String name, String expression, @Nullable Object value) {
        if (value != null) {
            names.add(name + " => " + expression);
            values.add(value);
        }
        return this;
    }

    /** The call as an SQL expression. */
    String sql() {
        return "steep_repl." + function + "(" + String.join(", ", names) + ")";
    }

    /** The values to bind. */
    Object[] parameters() {
        return values.toArray();
    }
}
