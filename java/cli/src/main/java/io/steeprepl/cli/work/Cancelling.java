package io.steeprepl.cli.work;

import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/** What a call that cancels work has answered. */
public final class Cancelling {
    private Cancelling() {}

    /** Says it. */
    public static void say(long id, String state, Output out) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("id", id);
        object.put("state", state);
        out.done(
                state.equals("cancelled")
                        ? "work %d is cancelled; it had not begun".formatted(id)
                        : "work %d is being cancelled".formatted(id),
                object);
    }
}
