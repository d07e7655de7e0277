package io.steeprepl.cli.conflict;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A row of the log, by column.
 *
 * @param values as text; null is SQL's NULL; a column that is not there was not sent
 */
public record Tuple(Map<String, @Nullable String> values) {
    /** Numbers keep all their digits. */
    static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    /** Reads a JSON object; null stays null. */
    public static @Nullable Tuple parse(@Nullable String json) {
        if (json == null) {
            return null;
        }
        try {
            var values = new LinkedHashMap<String, @Nullable String>();
            JSON.readTree(json).properties().forEach(field -> values.put(field.getKey(), text(field.getValue())));
            return new Tuple(values);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("the server's JSON cannot be read: " + e.getOriginalMessage(), e);
        }
    }

    private static @Nullable String text(JsonNode value) {
        if (value.isNull()) {
            return null;
        }
        if (value.isNumber()) {
            return value.decimalValue().toPlainString();
        }
        return value.isTextual() ? value.textValue() : value.toString();
    }

    /** A value as people tell it from others: NULL, an empty text, the text "NULL". */
    public String shown(String column) {
        if (!values.containsKey(column)) {
            return "(not sent)";
        }
        String value = values.get(column);
        if (value == null) {
            return "NULL";
        }
        return value.isEmpty() || value.equals("NULL") || value.equals("(not sent)") ? '"' + value + '"' : value;
    }

    /** On one line: {@code order_id=7, line=2}. */
    String line() {
        return values.keySet().stream()
                .map(column -> column + "=" + shown(column))
                .collect(Collectors.joining(", "));
    }
}
