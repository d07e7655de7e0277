package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.progress.Cancel;
import io.steeprepl.cli.progress.Followed;
import io.steeprepl.cli.progress.Glance;
import io.steeprepl.cli.work.FollowedWork;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Tables that are taken anew, as they are followed.
 *
 * @param way the options by which other commands reach the node
 */
record FollowedReinit(long id, String way) implements Followed<WorkProgress> {
    @Override
    public WorkProgress look(SteepRepl node) {
        return node.reinit()
                .progress(id)
                .orElseThrow(() -> new ApiException.Failed(
                        null, "the server does not know take-over %d any more".formatted(id), null, null, null));
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
        return FollowedWork.shown(now);
    }

    @Override
    public List<Column<WorkProgress>> columns() {
        return TakeOverColumns.REINIT;
    }

    @Override
    public String summary(WorkProgress last) {
        return FollowedWork.done("taken anew", last);
    }

    @Override
    public ApiException failure(WorkProgress failed) {
        return new ApiException.Failed(
                null,
                "the tables could not be taken anew",
                failed.error(),
                "remove the cause and run the same command again; tables that have been emptied take no writes here"
                        + " until it has succeeded, see table list",
                null);
    }

    @Override
    public String cancelled() {
        return "cancelled; tables that were taken anew stay. Those that have been emptied and are not there again take no"
                + " writes here until the same command has taken them; table list shows them";
    }

    @Override
    public String again() {
        return "steep-repl %snode progress --follow".formatted(way);
    }

    @Override
    public Optional<Cancel> cancel() {
        return Optional.of(new Cancel(
                "steep-repl %snode cancel %d".formatted(way, id),
                node -> node.reinit().cancel(id)));
    }
}
