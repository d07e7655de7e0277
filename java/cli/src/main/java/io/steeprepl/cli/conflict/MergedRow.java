package io.steeprepl.cli.conflict;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.Conflict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The row that is to stand where neither side's is: from a file, by single columns, or from the user's editor. */
final class MergedRow {
    /** Numbers keep all their digits. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private MergedRow() {}

    /** The text of a file, or of standard input for {@code -}. */
    static String file(String name) {
        try {
            return object(
                            name.equals("-")
                                    ? new String(System.in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                                    : Files.readString(Path.of(name)))
                    .toString();
        } catch (IOException e) {
            throw new ApiException.Usage("cannot read " + name + ": " + e.getMessage(), "a file with one JSON object");
        }
    }

    /** The row that stands, or that lost a unique value, with some columns changed: {@code column=value}, {@code column} for NULL. */
    static String set(Conflict conflict, List<String> changes) {
        ObjectNode row = base(conflict);
        for (String change : changes) {
            int end = change.indexOf('=');
            String column = end < 0 ? change : change.substring(0, end);
            if (end < 0) {
                row.putNull(column);
            } else {
                put(row, column, change.substring(end + 1));
            }
        }
        return row.toString();
    }

    private static void put(ObjectNode row, String column, String value) {
        JsonNode before = row.get(column);
        if (before != null && before.isContainerNode()) {
            try {
                row.set(column, JSON.readTree(value));
                return;
            } catch (JsonProcessingException e) {
                throw new ApiException.Usage("not JSON, as column " + column + " is: " + value, e.getOriginalMessage());
            }
        }
        row.put(column, value);
    }

    /** Has the user edit the row; null when it was left as it is. */
    static @Nullable String edit(Conflict conflict, Map<String, String> environment) {
        String editor = environment.getOrDefault("VISUAL", environment.getOrDefault("EDITOR", ""));
        if (editor.isBlank()) {
            throw new ApiException.Usage(
                    "no editor is set", "EDITOR=vi steep-repl conflict resolve …, or --set column=value");
        }
        String before = base(conflict).toPrettyString() + "\n";
        try {
            Path file = Files.createTempFile("conflict-" + conflict.id() + "-", ".json");
            try {
                Files.writeString(file, before);
                int code = new ProcessBuilder("sh", "-c", editor + " \"$1\"", "sh", file.toString())
                        .inheritIO()
                        .start()
                        .waitFor();
                if (code != 0) {
                    throw new ApiException.Usage(editor + " ended with " + code, "nothing has been changed");
                }
                String after = Files.readString(file);
                return after.equals(before) ? null : object(after).toString();
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private static ObjectNode base(Conflict conflict) {
        boolean remoteLost = "local".equals(conflict.decision().winner());
        String other = remoteLost ? conflict.remote().tuple() : conflict.local().tuple();
        String row =
                conflict.kind().equals("UNIQUE") ? other : conflict.decision().result();
        if (row == null) {
            row = conflict.local().tuple() != null
                    ? conflict.local().tuple()
                    : conflict.remote().tuple();
        }
        if (row == null) {
            throw new ApiException.Usage(
                    "conflict " + conflict.id() + " shows no row to begin with",
                    "--merged FILE, with the whole row; and SELECT on " + conflict.table() + " to see rows");
        }
        return object(row);
    }

    private static ObjectNode object(String text) {
        try {
            if (JSON.readTree(text) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new ApiException.Usage(
                    "not JSON: " + e.getOriginalMessage(), "one object: {\"id\": 1, \"status\": \"paid\"}");
        }
        throw new ApiException.Usage("not a JSON object", "one object: {\"id\": 1, \"status\": \"paid\"}");
    }
}
