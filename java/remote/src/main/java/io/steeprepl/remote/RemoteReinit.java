package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReinitApi;
import io.steeprepl.api.ReinitPlan;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.remote.Operation.None;
import io.steeprepl.remote.Operation.Numbered;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link ReinitApi} over a line. */
record RemoteReinit(Line line) implements ReinitApi {
    static final Noun NOUN = new Noun("reinit");

    private record From(
            String source,
            List<QualifiedName> tables,
            @Nullable String schema) {
        static From of(String source, Choice choice) {
            return new From(source, choice.tables(), choice.schema());
        }

        Choice choice() {
            return new Choice(tables, schema);
        }
    }

    private static final Map<String, ?> ALL = Map.of("tables", List.of());

    private static final Operation<From, ReinitPlan> CHECK = NOUN.reading(
            "check",
            From.class,
            ALL,
            new TypeReference<>() {},
            (node, in) -> node.reinit().check(in.source, in.choice()));

    private static final Operation<From, Long> START = NOUN.changing(
            "start",
            From.class,
            ALL,
            new TypeReference<>() {},
            (node, in) -> node.reinit().start(in.source, in.choice()));

    private static final Operation<None, @Nullable WorkProgress> RUNNING = NOUN.reading(
            "running", new TypeReference<>() {}, node -> node.reinit().running().orElse(null));

    private static final Operation<Numbered, @Nullable WorkProgress> PROGRESS = NOUN.reading(
            "progress",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.reinit().progress(in.id()).orElse(null));

    private static final Operation<None, List<WorkProgress>> LIST =
            NOUN.reading("list", new TypeReference<>() {}, node -> node.reinit().list());

    private static final Operation<Numbered, Cancelled> CANCEL = NOUN.changing(
            "cancel",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.reinit().cancel(in.id()));

    @Override
    public ReinitPlan check(String source, Choice choice) {
        return line.call(CHECK, From.of(source, choice));
    }

    @Override
    public long start(String source, Choice choice) {
        return line.call(START, From.of(source, choice));
    }

    @Override
    public List<WorkProgress> list() {
        return line.call(LIST);
    }

    @Override
    public Cancelled cancel(long id) {
        return line.call(CANCEL, new Numbered(id));
    }

    @Override
    public Optional<WorkProgress> running() {
        return Optional.ofNullable(line.call(RUNNING));
    }

    @Override
    public Optional<WorkProgress> progress(long id) {
        return Optional.ofNullable(line.call(PROGRESS, new Numbered(id)));
    }
}
