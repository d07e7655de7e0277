package io.steeprepl.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkApi;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What travels, without a node: which methods there are, and how wrong ones are refused. */
class DispatcherTest {
    private final Dispatcher dispatcher = new Dispatcher(() -> {
        throw new ApiException.CannotConnect("08001", "no database", null, null, null);
    });

    /** A transport that notes what it is asked for and answers nothing. */
    private static final class Noting implements Transport {
        private final List<String> asked = new ArrayList<>();
        private final Dispatcher dispatcher;

        Noting(Dispatcher dispatcher) {
            this.dispatcher = dispatcher;
        }

        @Override
        public JsonNode call(String method, ObjectNode params) {
            asked.add(method);
            return dispatcher.call(method, params);
        }

        @Override
        public void cancel() {}

        @Override
        public void close() {}
    }

    @Test
    void everyMethodOfTheApiIsAnswered() throws ReflectiveOperationException {
        var transport = new Noting(dispatcher);
        SteepRepl node = new RemoteSteepRepl(transport);
        int methods = 0;
        for (Method noun : SteepRepl.class.getMethods()) {
            if (!noun.getReturnType().getName().startsWith("io.steeprepl.api.")) {
                continue;
            }
            for (Method method : noun.getReturnType().getMethods()) {
                if (method.equals(WorkApi.class.getMethod("await", Duration.class))) {
                    // Waits where it is called: nothing goes over the line.
                    continue;
                }
                Object[] arguments = Arrays.stream(method.getParameterTypes())
                        .map(DispatcherTest::sample)
                        .toArray();
                // That the parameters are read and a node is asked for is as far as it can come here.
                assertThatThrownBy(() -> method.invoke(noun.invoke(node), arguments))
                        .as("%s", method)
                        .isInstanceOf(InvocationTargetException.class)
                        .cause()
                        .isInstanceOf(ApiException.CannotConnect.class)
                        .hasMessage("no database");
                methods++;
            }
        }
        assertThat(transport.asked).hasSize(methods).doesNotHaveDuplicates();
        assertThat(Dispatcher.methods()).containsExactlyInAnyOrderElementsOf(transport.asked);
    }

    /** Whoever may only read may have these done: a method that comes in here needs a thought about what it does. */
    @Test
    void theseOnlyRead() {
        assertThat(Dispatcher.methods().stream().filter(Dispatcher::reads))
                .containsExactly(
                        "audit.query",
                        "conflicts.list",
                        "conflicts.replay",
                        "conflicts.show",
                        "conflicts.stats",
                        "conflicts.strategies",
                        "health.get",
                        "nodes.check_settings",
                        "nodes.extension_version",
                        "nodes.get",
                        "nodes.list",
                        "nodes.self",
                        "ranges.list",
                        "ranges.settings",
                        "reinit.check",
                        "reinit.list",
                        "reinit.progress",
                        "reinit.running",
                        "schemas.compare",
                        "schemas.definitions",
                        "schemas.diff",
                        "schemas.fingerprint",
                        "snapshots.list",
                        "snapshots.progress",
                        "snapshots.verify",
                        "start.list",
                        "start.preparations",
                        "start.progress",
                        "start.running",
                        "subscriptions.list",
                        "tables.list",
                        "work.list",
                        "work.progress");
    }

    /** Some value of a type; of records all components that may be null are. */
    private static @Nullable Object sample(Class<?> type) {
        return switch (type.getName()) {
            case "java.lang.String" -> "x";
            case "int" -> 1;
            case "long", "java.lang.Long" -> 1L;
            case "boolean" -> true;
            case "java.time.Duration" -> Duration.ofSeconds(90);
            case "java.util.List" -> List.of();
            default -> type.isEnum() ? type.getEnumConstants()[0] : record(type);
        };
    }

    private static Object record(Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] values = Arrays.stream(components)
                .map(component -> component.getAnnotatedType().isAnnotationPresent(Nullable.class)
                        ? null
                        : sample(component.getType()))
                .toArray();
        try {
            return type.getDeclaredConstructor(Arrays.stream(components)
                            .map(RecordComponent::getType)
                            .toArray(Class<?>[]::new))
                    .newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(type.toString(), e);
        }
    }

    @Test
    void whatIsWrongIsSaid() {
        assertThat(refusal("nodes.lisst", "{}")).contains("nodes.lisst").contains("nodes.list");
        assertThat(refusal("conflicts.show", "{}")).startsWith("conflicts.show needs the parameter id parameters: id");
        assertThat(refusal("conflicts.show", "{\"id\":null}")).contains("needs the parameter id");
        assertThat(refusal("conflicts.show", "{\"id\":\"seven\"}")).contains("id");
        assertThat(refusal("conflicts.show", "{\"id\":7,\"force\":true}")).contains("no parameter force");
        assertThat(refusal("conflicts.show", "{\"id\":7,\"force\":null}")).contains("no parameter force");
        assertThat(refusal("conflicts.show", "[7]")).contains("must be an object");
        assertThat(refusal("subscriptions.pause", "{\"peer\":null}")).contains("peer");
        assertThat(refusal("tables.remove", "{\"table\":\"a b\"}")).contains("not the name of a table");
        assertThat(refusal("audit.prune", "{\"older_than\":\"2 years\"}")).contains("older_than");
        assertThat(refusal("nodes.list", "{\"all\":true}")).contains("it has no parameters");
    }

    private String refusal(String method, String params) {
        try {
            dispatcher.call(method, Codec.parse(params));
        } catch (ApiException.Usage e) {
            return e.message() + " " + e.hint();
        }
        throw new AssertionError("not refused: " + method + params);
    }

    @Test
    void whatMayBeLeftOutIs() {
        for (String method : List.of("audit.query", "conflicts.list", "nodes.check_settings")) {
            assertThatThrownBy(() -> dispatcher.call(method, Codec.object()))
                    .as(method)
                    .isInstanceOf(ApiException.CannotConnect.class);
        }
        assertThatThrownBy(() -> dispatcher.call(
                        "conflicts.resolve", Codec.parse("{\"id\":1,\"side\":\"local\",\"call_id\":\"7\"}")))
                .isInstanceOf(ApiException.CannotConnect.class);
    }

    @Test
    void errorsComeOutTheSame() {
        for (ApiException error : List.of(
                new ApiException.Usage("m", "d", "h"),
                new ApiException.CannotConnect("08006", "m", null, "h", null),
                new ApiException.Failed("", "m", "", "", null),
                new ApiException.Failed(null, "m\n\u0001", "d", null, null),
                new ApiException.TimedOut("SR011", "m", null, null, null),
                new ApiException.Cancelled("m", null))) {
            ApiException decoded = Errors.decode(Codec.parse(Codec.write(Errors.encode(error))));
            assertThat(decoded).hasSameClassAs(error).hasMessage(error.message());
            assertThat(decoded.detail()).isEqualTo(error.detail());
            assertThat(decoded.hint()).isEqualTo(error.hint());
            assertThat(decoded.sqlState()).isEqualTo(error.sqlState());
        }
    }
}
