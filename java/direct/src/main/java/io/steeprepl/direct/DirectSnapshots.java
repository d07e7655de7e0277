package io.steeprepl.direct;

import io.steeprepl.api.Lsn;
import io.steeprepl.api.Snapshot;
import io.steeprepl.api.SnapshotApi;
import io.steeprepl.api.SnapshotFile;
import io.steeprepl.api.StartedWork;
import io.steeprepl.api.WorkProgress;
import io.steeprepl.api.WorkState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link SnapshotApi} by SQL. */
record DirectSnapshots(Database database) implements SnapshotApi {
    @Override
    public StartedWork generate(GenerateOptions options) {
        List<String> tables = options.tables();
        return started(Call.of("start_snapshot")
                .with("path", options.path())
                .with("compression", options.compression())
                .with("parallel", options.parallel())
                .with("tables", tables.isEmpty() ? null : tables.toArray(String[]::new))
                .with("slot", "?::name", options.slot())
                .with("preparation", "?::uuid", options.preparation()));
    }

    @Override
    public StartedWork apply(ApplyOptions options) {
        return started(Call.of("start_apply")
                .with("path", options.path())
                .with("parallel", options.parallel())
                .with("verify", options.verify())
                .with("strict", options.strict()));
    }

    private StartedWork started(Call call) {
        return database.row(
                "SELECT * FROM " + call.sql(),
                row -> new StartedWork(
                        row.big("id"), WorkState.of(row.text("state")), row.text("folder"), row.big("table_count")),
                call.parameters());
    }

    @Override
    public List<Snapshot> list() {
        return database.rows(
                "SELECT * FROM steep_repl.list_snapshots()",
                row -> new Snapshot(
                        row.big("id"),
                        row.text("path"),
                        row.text("state"),
                        row.time("created_at"),
                        Lsn.parse(row.text("lsn")),
                        row.textOrNull("slot_name"),
                        row.text("compression"),
                        row.big("tables"),
                        row.big("rows"),
                        row.big("bytes")));
    }

    @Override
    public List<SnapshotFile> verify(String path) {
        return database.rows(
                "SELECT * FROM steep_repl.verify_snapshot(?)",
                row -> new SnapshotFile(row.text("file"), row.bigOrNull("bytes"), row.textOrNull("problem")),
                path);
    }

    @Override
    public String delete(long id) {
        return database.row("SELECT steep_repl.delete_snapshot(?) AS path", row -> row.text("path"), id);
    }

    @Override
    public String cancel(long id) {
        return database.row("SELECT steep_repl.cancel_snapshot(?) AS now", row -> row.text("now"), id);
    }

    @Override
    public List<WorkProgress> progress(@Nullable Long id) {
        return DirectWork.progress(
                database, "snapshot_progress(?::bigint)", DirectWork.NOTHING_ELSE, "ORDER BY p.id", id);
    }
}
