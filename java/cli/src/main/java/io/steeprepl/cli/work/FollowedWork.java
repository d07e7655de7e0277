package io.steeprepl.cli.work;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Text;
import io.steeprepl.cli.progress.Cancel;
import io.steeprepl.cli.progress.Followed;
import io.steeprepl.cli.progress.Glance;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Work in the background, as it is followed.
 *
 * @param kind what it does: snapshot, apply
 */
public record FollowedWork(long id, String kind) implements Followed<WorkProgress> {
    @Override
    public WorkProgress look(SteepRepl node) {
        return of(node, id);
    }

    /** How far that work is. Throws {@link ApiException.Failed} when there is none. */
    public static WorkProgress of(SteepRepl node, long id) {
        return node.work().progress(id).stream()
                .findFirst()
                .orElseThrow(() -> new ApiException.Failed(
                        "SR101", "there is no work %d".formatted(id), null, "steep-repl work list", null));
    }

    @Override
    public Duration pause() {
        return Duration.ofSeconds(1);
    }

    @Override
    public WorkState state(WorkProgress now) {
        return now.state();
    }

    @Override
    public Glance glance(WorkProgress now) {
        return shown(now);
    }

    /** How far a long operation of any kind is, as people are told. */
    public static Glance shown(WorkProgress now) {
        List<String> amounts = new ArrayList<>();
        if (count(now.rowsDone()) > 0) {
            amounts.add("%,d rows".formatted(now.rowsDone()));
        }
        long bytes = count(now.bytesDone());
        if (bytes > 0) {
            amounts.add(Text.bytes(bytes));
        }
        boolean begun = !amounts.isEmpty() || count(now.tablesTotal()) > 0;
        Long rate = now.bytesPerSecond();
        return new Glance(
                now.phase(),
                begun ? now.percent() : null,
                count(now.tablesTotal()) == 0 ? null : "%d/%d".formatted(count(now.tablesDone()), now.tablesTotal()),
                amounts,
                rate == null || rate == 0 ? null : Text.bytes(rate) + "/s",
                now.secondsLeft() == null ? null : Duration.ofSeconds(now.secondsLeft()),
                now.streams().stream()
                        .map(stream ->
                                "%s  %,d rows  %s".formatted(stream.table(), stream.rows(), Text.bytes(stream.bytes())))
                        .toList());
    }

    @Override
    public List<Column<WorkProgress>> columns() {
        return WorkColumns.PROGRESS;
    }

    @Override
    public String summary(WorkProgress last) {
        return done(loads() ? "loaded" : "snapshot %d is complete".formatted(id), last);
    }

    /** What a long operation has done, and how long that took; {@code what} comes first. */
    public static String done(String what, WorkProgress last) {
        String took = last.startedAt() == null || last.finishedAt() == null
                ? ""
                : " in %.1f s"
                        .formatted(Duration.between(last.startedAt(), last.finishedAt())
                                        .toMillis()
                                / 1000.0);
        return "%s: %d tables, %,d rows, %s%s"
                .formatted(
                        what,
                        count(last.tablesDone()),
                        count(last.rowsDone()),
                        Text.bytes(count(last.bytesDone())),
                        took);
    }

    private static long count(@Nullable Long number) {
        return Objects.requireNonNullElse(number, 0L);
    }

    private boolean loads() {
        return kind.equals("apply");
    }

    @Override
    public ApiException failure(WorkProgress failed) {
        return new ApiException.Failed(
                failed.sqlState(),
                "%s failed (work %d)".formatted(loads() ? "loading the snapshot" : "taking the snapshot", id),
                failed.error(),
                loads()
                        ? "remove the cause, then: steep-repl work retry %1$d, which goes on after what is loaded, or steep-repl work cancel %1$d, which takes that away"
                                .formatted(id)
                        : "remove the cause, then: steep-repl work retry %d".formatted(id),
                null);
    }

    @Override
    public String cancelled() {
        return "cancelled; nothing is left of it";
    }

    @Override
    public String again() {
        return "steep-repl snapshot progress %d --follow".formatted(id);
    }

    @Override
    public Optional<Cancel> cancel() {
        return Optional.of(new Cancel(
                "steep-repl snapshot cancel %d".formatted(id),
                node -> node.work().cancel(id)));
    }
}
