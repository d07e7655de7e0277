package io.steeprepl.it.remote;

import static io.steeprepl.it.remote.ParityCase.TIME;
import static io.steeprepl.it.remote.ParityCase.acts;
import static io.steeprepl.it.remote.ParityCase.refused;
import static io.steeprepl.it.remote.ParityCase.refusedAct;
import static io.steeprepl.it.remote.ParityCase.works;

import io.steeprepl.api.Snapshot;
import io.steeprepl.api.SnapshotApi.ApplyOptions;
import io.steeprepl.api.SnapshotApi.GenerateOptions;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import io.steeprepl.testkit.TestNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/** The cases of the nouns snapshots and work. */
final class SnapshotCases {
    /** Beside it the snapshots are. */
    private static Path data = Path.of("/");

    private SnapshotCases() {}

    /** An empty table in a snapshot, and one whose rows take a minute to load. */
    static void make(TestNode node) {
        data = node.server().dataDir();
        node.execute(
                "CREATE TABLE loaded (id int PRIMARY KEY)",
                "CREATE FUNCTION slowly() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$",
                "CREATE TABLE slow (id int PRIMARY KEY, CHECK (slowly()))",
                "INSERT INTO slow VALUES (1)",
                "SELECT steep_repl.start_snapshot('%s', 'none', 1, '{public.loaded}')"
                        .formatted(data.resolveSibling("base")),
                "SELECT steep_repl.start_snapshot('%s', 'none', 1, '{public.slow}')"
                        .formatted(data.resolveSibling("slow")));
        ParityData.await(node, "SELECT count(*) FROM steep_repl.list_snapshots()", "2");
        node.execute(
                "TRUNCATE slow",
                "CREATE OR REPLACE FUNCTION slowly() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60);"
                        + " RETURN true; END $$");
    }

    private static Snapshot snapshot(SteepRepl node, String name) {
        return node.snapshots().list().stream()
                .filter(one -> one.path().equals(data.resolveSibling(name).toString()))
                .findFirst()
                .orElseThrow();
    }

    /** Begins to load the table that takes so long; its number. */
    private static long slow(SteepRepl node) {
        long id = node.snapshots()
                .apply(new ApplyOptions(data.resolveSibling("slow").toString(), 1, null, null))
                .id();
        await(node, id, WorkState.RUNNING);
        return id;
    }

    private static void await(SteepRepl node, long id, WorkState state) {
        Awaitility.await("work " + id + " to be " + state)
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> node.work().progress(id).getFirst().state() == state);
    }

    private static List<WorkProgress.Stream> streams(SteepRepl node, long id) {
        return node.snapshots().progress(id).getFirst().streams();
    }

    static List<ParityCase> all() {
        String base = data.resolveSibling("base").toString();
        String gone = data.resolveSibling("gone").toString();
        return List.of(
                works(
                                "snapshots.generate",
                                (node, turn) -> node.snapshots()
                                        .generate(new GenerateOptions(
                                                data.resolveSibling("by-" + turn)
                                                        .toString(),
                                                "lz4",
                                                1,
                                                List.of("public.loaded"),
                                                null,
                                                null)))
                        .but("id=\\d+", "by-\\d"),
                refused(
                        "snapshots.generate",
                        (node, _) -> node.snapshots()
                                .generate(new GenerateOptions(
                                        "monday", "rar", 99, List.of("no such", "item"), "Bad Slot", null))),
                works("snapshots.apply", (node, _) -> node.snapshots().apply(new ApplyOptions(base, 1, false, true)))
                        .but("id=\\d+"),
                refused(
                        "snapshots.apply",
                        (node, _) -> node.snapshots().apply(new ApplyOptions("/nowhere/monday", null, null, null))),
                works("snapshots.list", (node, _) -> snapshot(node, "base")),
                works("snapshots.verify", (node, _) -> node.snapshots().verify(base)),
                refused("snapshots.verify", (node, _) -> node.snapshots().verify("/nowhere/monday")),
                works(
                                "snapshots.delete",
                                (node, _) -> node.snapshots()
                                        .delete(snapshot(node, "gone").id()))
                        .after(
                                """
                                SELECT steep_repl.start_snapshot('%1$s', 'none', 1, '{public.loaded}')
                                 WHERE NOT EXISTS (SELECT FROM steep_repl.list_snapshots() WHERE path = '%1$s')
                                   AND NOT EXISTS (SELECT FROM steep_repl.work_queue WHERE parameters->>'path' = '%1$s' AND state IN ('pending', 'running'))\
                                """.formatted(gone),
                                "SELECT 1 / count(*) FROM steep_repl.list_snapshots() WHERE path = '%s'"
                                        .formatted(gone)),
                refused("snapshots.delete", (node, _) -> node.snapshots().delete(999_999)),
                works("snapshots.cancel", (node, _) -> node.snapshots().cancel(slow(node))),
                refused("snapshots.cancel", (node, _) -> node.snapshots().cancel(999_999)),
                works(
                        "snapshots.progress",
                        (node, _) ->
                                node.snapshots().progress(snapshot(node, "base").id())),
                works("snapshots.progress", (node, _) -> {
                    long id = slow(node);
                    Awaitility.await("a stream")
                            .atMost(Duration.ofSeconds(60))
                            .until(() -> !streams(node, id).isEmpty());
                    var streams = streams(node, id);
                    node.work().cancel(id);
                    return streams;
                }),
                works(
                        "work.list",
                        (node, _) -> node.work().list(1000).stream()
                                .filter(work ->
                                        base.equals(work.path()) && work.kind().equals("snapshot"))
                                .toList()),
                refused("work.list", (node, _) -> node.work().list(-1)),
                works(
                                "work.progress",
                                (node, _) -> node.work()
                                        .progress(snapshot(node, "base").id()))
                        .but(TIME),
                works("work.progress", (node, _) -> node.work().progress(999_999L)),
                works("work.cancel", (node, _) -> node.work().cancel(slow(node))),
                refused(
                        "work.cancel",
                        (node, _) -> node.work().cancel(snapshot(node, "base").id())),
                acts("work.retry", node -> {
                    long id = slow(node);
                    node.work().cancel(id);
                    await(node, id, WorkState.CANCELLED);
                    node.work().retry(id);
                    await(node, id, WorkState.RUNNING);
                    node.work().cancel(id);
                }),
                refusedAct(
                        "work.retry",
                        node -> node.work().retry(snapshot(node, "base").id())));
    }
}
