package io.steeprepl.cli.config;

import io.steeprepl.api.ReplicatedTable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A strategy of a table, as the file or the database says it. */
record Choice(String strategy, List<String> priority) {
    /** What the database says. */
    static Choice of(ReplicatedTable table) {
        return new Choice(Objects.requireNonNullElse(table.strategy(), "last_write_wins"), table.priority());
    }

    /** For programs. */
    Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("strategy", strategy);
        object.put("priority", priority);
        return object;
    }

    @Override
    public String toString() {
        return priority.isEmpty() ? strategy : strategy + " " + priority;
    }
}
