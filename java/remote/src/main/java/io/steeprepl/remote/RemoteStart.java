package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.CompleteOptions;
import io.steeprepl.api.Preparation;
import io.steeprepl.api.StartApi;
import io.steeprepl.api.StartOptions;
import io.steeprepl.api.StartProblem;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.remote.Operation.None;
import io.steeprepl.remote.Operation.Numbered;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link StartApi} over a line. */
record RemoteStart(Line line) implements StartApi {
    static final Noun NOUN = new Noun("start");

    private record Lasting(@Nullable Duration expires) {}

    private record Identified(String id) {}

    /** It changes nothing; but it has the server connect to wherever the caller says. */
    private static final Operation<StartOptions, List<StartProblem>> CHECK = NOUN.changing(
            "check",
            StartOptions.class,
            new TypeReference<>() {},
            (node, in) -> node.start().check(in));

    private static final Operation<StartOptions, Long> START = NOUN.changing(
            "start",
            StartOptions.class,
            new TypeReference<>() {},
            (node, in) -> node.start().start(in));

    private static final Operation<CompleteOptions, Long> COMPLETE = NOUN.changing(
            "complete",
            CompleteOptions.class,
            new TypeReference<>() {},
            (node, in) -> node.start().complete(in));

    private static final Operation<None, @Nullable WorkProgress> RUNNING = NOUN.reading(
            "running", new TypeReference<>() {}, node -> node.start().running().orElse(null));

    private static final Operation<Numbered, @Nullable WorkProgress> PROGRESS = NOUN.reading(
            "progress",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.start().progress(in.id()).orElse(null));

    private static final Operation<None, List<WorkProgress>> LIST =
            NOUN.reading("list", new TypeReference<>() {}, node -> node.start().list());

    private static final Operation<Numbered, String> CANCEL = NOUN.changing(
            "cancel",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.start().cancel(in.id()));

    private static final Operation<Lasting, Preparation> PREPARE = NOUN.changing(
            "prepare",
            Lasting.class,
            new TypeReference<>() {},
            (node, in) -> node.start().prepare(in.expires));

    private static final Operation<None, List<Preparation>> PREPARATIONS = NOUN.reading(
            "preparations", new TypeReference<>() {}, node -> node.start().preparations());

    private static final Operation<Identified, List<String>> CANCEL_PREPARATION = NOUN.changing(
            "cancel_preparation",
            Identified.class,
            new TypeReference<>() {},
            (node, in) -> node.start().cancelPreparation(in.id));

    @Override
    public List<StartProblem> check(StartOptions options) {
        return line.call(CHECK, options);
    }

    @Override
    public long start(StartOptions options) {
        return line.call(START, options);
    }

    @Override
    public long complete(CompleteOptions options) {
        return line.call(COMPLETE, options);
    }

    @Override
    public List<WorkProgress> list() {
        return line.call(LIST);
    }

    @Override
    public String cancel(long id) {
        return line.call(CANCEL, new Numbered(id));
    }

    @Override
    public Preparation prepare(@Nullable Duration expires) {
        return line.call(PREPARE, new Lasting(expires));
    }

    @Override
    public List<Preparation> preparations() {
        return line.call(PREPARATIONS);
    }

    @Override
    public List<String> cancelPreparation(String id) {
        return line.call(CANCEL_PREPARATION, new Identified(id));
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
