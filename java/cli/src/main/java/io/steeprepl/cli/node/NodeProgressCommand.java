package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Preparation;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.progress.Followed;
import io.steeprepl.cli.progress.Follower;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code node progress}. */
@Command(
        name = "progress",
        description =
                "The starts of this node and the tables it takes anew, the latest first, and what it keeps for nodes to come.",
        footer = {"  steep-repl node progress", "  steep-repl node progress --follow"})
final class NodeProgressCommand extends Action {
    @Option(
            names = "--follow",
            description = "Shows what runs of them until it ends, and exits as node start and node reinit do.")
    private boolean follow;

    @Override
    protected ExitCode run(Output out) {
        try (SteepRepl node = open(out)) {
            if (follow) {
                return new Follower<>(running(node), () -> open(out), out).follow(node);
            }
            List<WorkProgress> starts = node.start().list();
            List<WorkProgress> reinits = node.reinit().list();
            List<Preparation> kept = node.start().preparations();
            if (out.json()) {
                out.document(Json.write(Map.of(
                        "starts", objects(TakeOverColumns.START, starts),
                        "reinits", objects(TakeOverColumns.REINIT, reinits),
                        "preparations", objects(PreparationColumns.ALL, kept))));
                return ExitCode.OK;
            }
            out.list(
                    TakeOverColumns.TEXT,
                    Stream.concat(starts.stream(), reinits.stream())
                            .sorted(Comparator.comparingLong(WorkProgress::id).reversed())
                            .toList(),
                    "this node was never started from another one");
            if (!kept.isEmpty()) {
                out.list(PreparationColumns.ALL, kept, "");
            }
            return ExitCode.OK;
        }
    }

    /** One at a time: a start comes first, as the server has it. */
    private static Followed<WorkProgress> running(SteepRepl node) {
        return node.start()
                .running()
                .<Followed<WorkProgress>>map(start -> new FollowedStart(start.id(), ""))
                .or(() -> node.reinit().running().map(reinit -> new FollowedReinit(reinit.id(), "")))
                .orElseThrow(() -> new ApiException.Failed(
                        null, "nothing of that runs on this node", null, "steep-repl node progress", null));
    }

    private static <T> List<Map<String, @Nullable Object>> objects(List<Column<T>> columns, List<T> rows) {
        return rows.stream().map(row -> Column.object(columns, row)).toList();
    }
}
