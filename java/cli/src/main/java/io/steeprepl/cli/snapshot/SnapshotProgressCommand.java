package io.steeprepl.cli.snapshot;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.progress.Follower;
import io.steeprepl.cli.work.FollowedWork;
import io.steeprepl.cli.work.WorkColumns;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code snapshot progress}. */
@Command(
        name = "progress",
        description = "How far taking and loading is: all that waits, runs, or ended within the last hour, or one.",
        footer = {"  steep-repl snapshot progress", "  steep-repl snapshot progress 3 --follow"})
final class SnapshotProgressCommand extends Action {
    @Parameters(paramLabel = "ID", arity = "0..1", description = "The number of the work.")
    private @Nullable Long id;

    @Option(
            names = "--follow",
            description = "With ID: shows it until it ends, and exits as snapshot generate and apply do.")
    private boolean follow;

    @Override
    protected ExitCode run(Output out) {
        if (follow && id == null) {
            throw new ApiException.Usage(
                    "--follow needs the number of the work", "steep-repl snapshot progress 3 --follow");
        }
        try (SteepRepl node = open(out)) {
            List<WorkProgress> found;
            try (var _ = Interrupt.onInterrupt(node::cancel)) {
                found = node.snapshots().progress(id);
            }
            if (id != null && found.isEmpty()) {
                throw new ApiException.Failed(
                        "SR112", "there is no snapshot " + id, null, "steep-repl work list", null);
            }
            if (follow) {
                WorkProgress one = found.getFirst();
                return new Follower<>(new FollowedWork(one.id(), one.kind()), () -> open(out), out).follow(node);
            }
            out.list(
                    out.json() ? WorkColumns.PROGRESS : WorkColumns.PROGRESS_TEXT,
                    found,
                    "nothing is taken or loaded, and nothing was within the last hour");
            return ExitCode.OK;
        }
    }
}
