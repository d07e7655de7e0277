package io.steeprepl.remote;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.Lsn;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.WorkState;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Function;
import java.util.regex.Pattern;

/** How the api's own kinds of values are written: all as text. */
final class Forms {
    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_]*");

    private Forms() {}

    static SimpleModule module() {
        var module = new SimpleModule("steep-repl");
        text(module, Instant.class, Instant::toString, Instant::parse);
        text(module, Duration.class, Duration::toString, Duration::parse);
        text(module, Lsn.class, Lsn::toString, Lsn::parse);
        text(module, NodeId.class, NodeId::value, NodeId::new);
        text(module, QualifiedName.class, Forms::name, QualifiedName::parse);
        text(module, WorkState.class, WorkState::text, WorkState::of);
        module.addSerializer(ApiException.Failed.class, new JsonSerializer<>() {
            @Override
            public void serialize(ApiException.Failed error, JsonGenerator out, SerializerProvider provider)
                    throws IOException {
                out.writeTree(Errors.encode(error));
            }
        });
        module.addDeserializer(ApiException.Failed.class, new JsonDeserializer<>() {
            @Override
            public ApiException.Failed deserialize(JsonParser in, DeserializationContext context) throws IOException {
                JsonNode tree = in.readValueAsTree();
                return (ApiException.Failed) Errors.decode(tree);
            }
        });
        return module;
    }

    /** As SQL reads it, with quotes only where it needs them. */
    private static String name(QualifiedName name) {
        String schema = name.schema();
        boolean plain = PLAIN.matcher(name.name()).matches()
                && (schema == null || PLAIN.matcher(schema).matches());
        return plain ? name.toString() : name.sql();
    }

    private static <T> void text(
            SimpleModule module, Class<T> type, Function<T, String> write, Function<String, T> read) {
        module.addSerializer(type, new JsonSerializer<>() {
            @Override
            public void serialize(T value, JsonGenerator out, SerializerProvider provider) throws IOException {
                out.writeString(write.apply(value));
            }
        });
        module.addDeserializer(type, new FromStringDeserializer<>(type) {
            private static final long serialVersionUID = 1L;

            @Override
            protected T _deserialize(String value, DeserializationContext context) throws IOException {
                try {
                    return read.apply(value);
                } catch (ApiException e) {
                    throw com.fasterxml.jackson.databind.JsonMappingException.from(context, e.message(), e);
                } catch (RuntimeException e) {
                    return type.cast(context.handleWeirdStringValue(type, value, "%s", String.valueOf(e.getMessage())));
                }
            }
        });
    }
}
