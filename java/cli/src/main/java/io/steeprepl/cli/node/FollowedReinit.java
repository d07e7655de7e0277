package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.StartProgress;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Text;
import io.steeprepl.cli.progress.Cancel;
import io.steeprepl.cli.progress.Followed;
import io.steeprepl.cli.progress.Glance;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Tables that are taken anew, as they are followed: as a start is. */
final class FollowedReinit implements Followed<StartProgress> {
    private final long id;
    private final FollowedStart like;

    FollowedReinit(long id) {
        this.id = id;
        this.like = new FollowedStart(id, "");
    }

    @Override
    public StartProgress look(SteepRepl node) {
        return node.reinit()
                .progress(id)
                .orElseThrow(() -> new ApiException.Failed(
                        null, "the server does not know take-over %d any more".formatted(id), null, null, null));
    }

    @Override
    public Duration pause() {
        return like.pause();
    }

    @Override
    public WorkState state(StartProgress now) {
        return like.state(now);
    }

    @Override
    public Glance glance(StartProgress now) {
        return like.glance(now);
    }

    @Override
    public List<Column<StartProgress>> columns() {
        return like.columns();
    }

    @Override
    public String summary(StartProgress last) {
        return "taken anew: %d tables, %d rows, %s copied"
                .formatted(last.tablesDone(), last.rowsDone(), Text.bytes(last.bytesDone()));
    }

    @Override
    public ApiException failure(StartProgress failed) {
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
        return "cancelled";
    }

    @Override
    public String again() {
        return "run the same command again";
    }

    @Override
    public Optional<Cancel> cancel() {
        return Optional.empty();
    }
}
