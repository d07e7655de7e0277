package io.steeprepl.cli.config;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.StrategyOptions;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A strategy of a table, as the file or the database says it. */
record Choice(StrategyOptions options) {
    /** What the database says. */
    static Choice of(ReplicatedTable table) {
        String resolver = table.resolver();
        return new Choice(new StrategyOptions(
                Objects.requireNonNullElse(table.strategy(), "last_write_wins"),
                table.priority(),
                table.deltaColumns(),
                resolver == null ? null : QualifiedName.parse(resolver, "function")));
    }

    /** Whether both mean the same: the order of columns that are added up has no meaning. */
    boolean same(Choice other) {
        return options.strategy().equals(other.options.strategy())
                && options.priority().equals(other.options.priority())
                && new HashSet<>(options.deltaColumns()).equals(new HashSet<>(other.options.deltaColumns()))
                && Objects.equals(options.function(), other.options.function());
    }

    /** For programs. */
    Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        object.put("strategy", options.strategy());
        object.put("priority", options.priority());
        object.put("delta_columns", options.deltaColumns());
        object.put(
                "resolver",
                options.function() == null ? null : options.function().toString());
        return object;
    }

    @Override
    public String toString() {
        List<String> columns = options.deltaColumns();
        return options.strategy()
                + (options.function() == null ? "" : " " + options.function())
                + (options.priority().isEmpty() ? "" : " " + options.priority())
                + (columns.isEmpty() ? "" : ", sums of " + String.join(", ", columns));
    }
}
