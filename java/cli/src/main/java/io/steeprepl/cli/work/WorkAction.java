package io.steeprepl.cli.work;

import io.steeprepl.api.StartedWork;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.progress.Follower;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A command that has the server begin work, and follows it unless it is told not to. */
public abstract class WorkAction extends Action {
    @Option(names = "--detach", description = "Do not wait: print the number of the work and leave.")
    private boolean detach;

    /** What the work is called in the queue. */
    protected abstract String kind();

    /** Has the server begin. */
    protected abstract StartedWork begin(SteepRepl node);

    @Override
    protected final ExitCode run(Output out) {
        try (SteepRepl node = open(out)) {
            StartedWork started;
            try (var _ = Interrupt.onInterrupt(node::cancel)) {
                started = begin(node);
            }
            var followed = new FollowedWork(started.id(), kind());
            if (detach) {
                out.done(
                        "work %d: %d tables, %s; to look: %s"
                                .formatted(started.id(), started.tableCount(), started.folder(), followed.again()),
                        object(started));
                return ExitCode.OK;
            }
            if (!out.json()) {
                out.note("work %d: %d tables, %s".formatted(started.id(), started.tableCount(), started.folder()));
            }
            return new Follower<>(followed, () -> open(out), out).follow(node);
        }
    }

    private Map<String, @Nullable Object> object(StartedWork started) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("id", started.id());
        object.put("kind", kind());
        object.put("state", started.state().text());
        object.put("folder", started.folder());
        object.put("table_count", started.tableCount());
        return object;
    }
}
