package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.Snapshot;
import io.steeprepl.api.SnapshotApi;
import io.steeprepl.api.SnapshotFile;
import io.steeprepl.api.StartedWork;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.remote.Operation.None;
import io.steeprepl.remote.Operation.Numbered;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@link SnapshotApi} over a line. */
record RemoteSnapshots(Line line) implements SnapshotApi {
    static final Noun NOUN = new Noun("snapshots");

    private record Placed(String path) {}

    private record Perhaps(@Nullable Long id) {}

    private static final Operation<GenerateOptions, StartedWork> GENERATE = NOUN.changing(
            "generate",
            GenerateOptions.class,
            Map.of("tables", List.of()),
            new TypeReference<>() {},
            (node, in) -> node.snapshots().generate(in));

    private static final Operation<ApplyOptions, StartedWork> APPLY = NOUN.changing(
            "apply",
            ApplyOptions.class,
            new TypeReference<>() {},
            (node, in) -> node.snapshots().apply(in));

    private static final Operation<None, List<Snapshot>> LIST = NOUN.reading(
            "list", new TypeReference<>() {}, node -> node.snapshots().list());

    private static final Operation<Placed, List<SnapshotFile>> VERIFY = NOUN.reading(
            "verify",
            Placed.class,
            new TypeReference<>() {},
            (node, in) -> node.snapshots().verify(in.path));

    private static final Operation<Numbered, String> DELETE = NOUN.changing(
            "delete",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.snapshots().delete(in.id()));

    private static final Operation<Numbered, String> CANCEL = NOUN.changing(
            "cancel",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.snapshots().cancel(in.id()));

    private static final Operation<Perhaps, List<WorkProgress>> PROGRESS = NOUN.reading(
            "progress",
            Perhaps.class,
            new TypeReference<>() {},
            (node, in) -> node.snapshots().progress(in.id));

    @Override
    public StartedWork generate(GenerateOptions options) {
        return line.call(GENERATE, options);
    }

    @Override
    public StartedWork apply(ApplyOptions options) {
        return line.call(APPLY, options);
    }

    @Override
    public List<Snapshot> list() {
        return line.call(LIST);
    }

    @Override
    public List<SnapshotFile> verify(String path) {
        return line.call(VERIFY, new Placed(path));
    }

    @Override
    public String delete(long id) {
        return line.call(DELETE, new Numbered(id));
    }

    @Override
    public String cancel(long id) {
        return line.call(CANCEL, new Numbered(id));
    }

    @Override
    public List<WorkProgress> progress(@Nullable Long id) {
        return line.call(PROGRESS, new Perhaps(id));
    }
}
