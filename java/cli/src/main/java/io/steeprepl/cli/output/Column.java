package io.steeprepl.cli.output;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is printed of a row: a column of the table, a key of the JSON object.
 *
 * @param name in snake_case
 * @param value text, a number, a boolean, an Instant, {@link Json.Raw}, a list or map of such, or null
 */
public record Column<T>(String name, Function<T, @Nullable Object> value) {
    /** A column. */
    public static <T> Column<T> of(String name, Function<T, @Nullable Object> value) {
        return new Column<>(name, value);
    }

    /** The JSON object of a row. */
    public static <T> Map<String, @Nullable Object> object(List<Column<T>> columns, T row) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        columns.forEach(column -> object.put(column.name(), column.value().apply(row)));
        return object;
    }
}
