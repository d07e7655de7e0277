package io.steeprepl.cli.work;

import io.steeprepl.api.Work;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A line of {@code work list}: work of the queue, or a take-over, which is in none.
 *
 * @param work null for a take-over
 * @param now how far it is; null for work that ended more than an hour ago
 */
record ListedWork(
        long id,
        String kind,
        WorkState state,
        @Nullable Work work,
        @Nullable WorkProgress now) {
    /** For programs. */
    static final List<Column<ListedWork>> COLUMNS = List.of(
            Column.of("id", ListedWork::id),
            Column.of("kind", ListedWork::kind),
            Column.of("state", listed -> listed.state().text()),
            Column.of("path", listed -> listed.ofWork(Work::path)),
            Column.of("role", listed -> listed.ofWork(Work::role)),
            Column.of("asked_by", listed -> listed.ofWork(Work::askedBy)),
            Column.of("asked_at", listed -> listed.ofWork(Work::askedAt)),
            Column.of("started_at", listed -> listed.ofEither(Work::startedAt, WorkProgress::startedAt)),
            Column.of("finished_at", listed -> listed.ofEither(Work::finishedAt, WorkProgress::finishedAt)),
            Column.of("attempts", listed -> listed.ofWork(Work::attempts)),
            Column.of("cancelled_by", listed -> listed.ofWork(Work::cancelledBy)),
            Column.of("error", listed -> listed.ofEither(Work::error, WorkProgress::error)),
            Column.of("sqlstate", listed -> listed.ofWork(Work::sqlState)),
            Column.of("parameters", listed -> listed.ofWork(work -> new Json.Raw(work.parameters()))),
            Column.of("result", listed -> listed.ofWork(work -> Json.Raw.of(work.result()))),
            Column.of("phase", listed -> listed.ofNow(WorkProgress::phase)),
            Column.of("percent", listed -> listed.ofNow(WorkProgress::percent)));

    /** For people. */
    static final List<Column<ListedWork>> TEXT = List.of(
            Column.of("id", ListedWork::id),
            Column.of("kind", ListedWork::kind),
            Column.of("state", listed -> listed.state().text()),
            Column.of("phase", listed -> listed.ofNow(WorkProgress::phase)),
            Column.of("percent", listed -> listed.ofNow(WorkProgress::percent)),
            Column.of("path", listed -> listed.ofWork(Work::path)),
            Column.of("asked_by", listed -> listed.ofWork(Work::askedBy)),
            Column.of("finished_at", listed -> listed.ofEither(Work::finishedAt, WorkProgress::finishedAt)),
            Column.of("error", listed -> listed.ofEither(Work::error, WorkProgress::error)));

    /** What has not ended comes first, then the latest. */
    static List<ListedWork> of(List<Work> queue, List<WorkProgress> all) {
        Map<Long, WorkProgress> known = new HashMap<>();
        all.forEach(now -> known.put(now.id(), now));
        List<ListedWork> lines = new ArrayList<>();
        queue.forEach(
                work -> lines.add(new ListedWork(work.id(), work.kind(), work.state(), work, known.remove(work.id()))));
        // Of the queue only what was cut off is left among them.
        known.values().stream()
                .filter(now -> !List.of("snapshot", "apply").contains(now.kind()))
                .forEach(now -> lines.add(new ListedWork(now.id(), now.kind(), now.state(), null, now)));
        lines.sort(
                Comparator.<ListedWork, Boolean>comparing(line -> line.state().ended())
                        .thenComparing(Comparator.comparingLong(ListedWork::id).reversed()));
        return List.copyOf(lines);
    }

    private @Nullable Object ofWork(Function<Work, @Nullable Object> value) {
        return work == null ? null : value.apply(work);
    }

    private @Nullable Object ofNow(Function<WorkProgress, @Nullable Object> value) {
        return now == null ? null : value.apply(now);
    }

    private @Nullable Object ofEither(
            Function<Work, @Nullable Object> queued, Function<WorkProgress, @Nullable Object> taken) {
        return work == null ? ofNow(taken) : queued.apply(work);
    }
}
