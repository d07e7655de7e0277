package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Preparation;
import io.steeprepl.api.StartProgress;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.progress.Follower;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code node progress}. */
@Command(
        name = "progress",
        description = "The starts of this node, the latest first, and what it keeps for nodes to come.",
        footer = {"  steep-repl node progress", "  steep-repl node progress --follow"})
final class NodeProgressCommand extends Action {
    @Option(names = "--follow", description = "Shows the start that runs until it ends, and exits as node start does.")
    private boolean follow;

    @Override
    protected ExitCode run(Output out) {
        try (SteepRepl node = open(out)) {
            if (follow) {
                long id = node.start()
                        .running()
                        .orElseThrow(() -> new ApiException.Failed(
                                null, "no start runs on this node", null, "steep-repl node progress", null))
                        .id();
                return new Follower<>(new FollowedStart(id, ""), () -> open(out), out).follow(node);
            }
            List<StartProgress> starts = node.start().list();
            List<Preparation> kept = node.start().preparations();
            if (out.json()) {
                out.document(Json.write(Map.of(
                        "starts", objects(FollowedStart.COLUMNS, starts),
                        "preparations", objects(PreparationColumns.ALL, kept))));
                return ExitCode.OK;
            }
            out.list(FollowedStart.COLUMNS, starts, "this node was never started from another one");
            if (!kept.isEmpty()) {
                out.list(PreparationColumns.ALL, kept, "");
            }
            return ExitCode.OK;
        }
    }

    private static <T> List<Map<String, @Nullable Object>> objects(List<Column<T>> columns, List<T> rows) {
        return rows.stream().map(row -> Column.object(columns, row)).toList();
    }
}
