package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.StartApi;
import io.steeprepl.api.StartProblem;
import io.steeprepl.api.StartProgress;
import io.steeprepl.remote.Operation.None;
import io.steeprepl.remote.Operation.Numbered;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link StartApi} over a line. */
record RemoteStart(Line line) implements StartApi {
    static final Noun NOUN = new Noun("start");

    private record Between(String sourceConninfo, String ownConninfo) {}

    private static final Operation<Between, List<StartProblem>> CHECK = NOUN.operation(
            "check",
            Between.class,
            new TypeReference<>() {},
            (node, in) -> node.start().check(in.sourceConninfo, in.ownConninfo));

    private static final Operation<Between, Long> START = NOUN.operation(
            "start",
            Between.class,
            new TypeReference<>() {},
            (node, in) -> node.start().start(in.sourceConninfo, in.ownConninfo));

    private static final Operation<None, @Nullable StartProgress> RUNNING = NOUN.operation(
            "running", new TypeReference<>() {}, node -> node.start().running().orElse(null));

    private static final Operation<Numbered, @Nullable StartProgress> PROGRESS = NOUN.operation(
            "progress",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.start().progress(in.id()).orElse(null));

    @Override
    public List<StartProblem> check(String sourceConninfo, String ownConninfo) {
        return line.call(CHECK, new Between(sourceConninfo, ownConninfo));
    }

    @Override
    public long start(String sourceConninfo, String ownConninfo) {
        return line.call(START, new Between(sourceConninfo, ownConninfo));
    }

    @Override
    public Optional<StartProgress> running() {
        return Optional.ofNullable(line.call(RUNNING));
    }

    @Override
    public Optional<StartProgress> progress(long id) {
        return Optional.ofNullable(line.call(PROGRESS, new Numbered(id)));
    }
}
