package io.steeprepl.direct;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.BulkFilter;
import io.steeprepl.api.Conflict;
import io.steeprepl.api.ConflictApi;
import io.steeprepl.api.ConflictCount;
import io.steeprepl.api.ConflictFilter;
import io.steeprepl.api.ConflictHistory;
import io.steeprepl.api.ConflictReplay;
import io.steeprepl.api.ConflictStrategy;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplayOptions;
import io.steeprepl.api.Resolution;
import io.steeprepl.api.StrategyOptions;
import io.steeprepl.api.StrategyRefusal;
import io.steeprepl.api.TableStrategy;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link ConflictApi} by SQL. */
record DirectConflicts(Database database) implements ConflictApi {
    private static final String LIST = """
            SELECT * FROM steep_repl.conflict_list(p_table => ?::text, p_kind => ?::text, p_peer => ?::text,
              p_resolution => ?::text, p_unproven => ?, p_since => now() - make_interval(secs => ?::float8), p_limit => ?)""";

    private static final String REPLAY = """
            SELECT * FROM steep_repl.conflict_replay(?, p_table => ?::text, p_from => now() - make_interval(secs => ?::float8),
              p_to => now() - make_interval(secs => ?::float8), p_priority => ?::text[])""";

    @Override
    public List<Conflict> list(ConflictFilter filter) {
        QualifiedName table = filter.table();
        return database.rows(
                LIST,
                DirectConflicts::conflict,
                table == null ? null : table.sql(),
                filter.kind(),
                filter.peer(),
                filter.resolution(),
                filter.unprovenOnly(),
                seconds(filter.newerThan()),
                filter.limit());
    }

    @Override
    public ConflictHistory show(long id) {
        List<Conflict> history =
                database.rows("SELECT * FROM steep_repl.conflict_show(?)", DirectConflicts::conflict, id);
        Conflict entry = history.stream()
                .filter(conflict -> conflict.id() == id)
                .findFirst()
                .orElseThrow(() -> new ApiException.Failed(
                        null, "the server did not return conflict " + id, null, "try again", null));
        return new ConflictHistory(entry, history);
    }

    @Override
    public List<ConflictCount> stats() {
        return database.rows("SELECT * FROM steep_repl.conflict_stats()", DirectConflicts::count);
    }

    @Override
    public List<ConflictStrategy> strategies() {
        return database.rows(
                "SELECT * FROM steep_repl.conflict_strategies()",
                row -> new ConflictStrategy(row.text("name"), row.text("description"), row.flag("converges")));
    }

    @Override
    public void setStrategy(QualifiedName table, StrategyOptions options) {
        QualifiedName function = options.function();
        database.run(
                "SELECT steep_repl.set_conflict_strategy(?::regclass, ?, ?::text[], ?::text[], ?::regproc)",
                table.sql(),
                options.strategy(),
                array(options.priority()),
                array(options.deltaColumns()),
                function == null ? null : function.sql());
    }

    /** A list as an array, null when there is nothing in it. */
    private static String @Nullable [] array(List<String> list) {
        return list.isEmpty() ? null : list.toArray(String[]::new);
    }

    @Override
    public List<StrategyRefusal> setStrategies(List<TableStrategy> wanted, boolean dryRun) {
        List<StrategyRefusal> refused = new ArrayList<>();
        database.transaction(() -> {
            wanted.forEach(one -> database.attempt(() -> setStrategy(one.table(), one.options()))
                    .ifPresent(error -> refused.add(new StrategyRefusal(one.table(), error))));
            return refused.isEmpty() && !dryRun;
        });
        return refused;
    }

    @Override
    public List<ConflictReplay> replay(ReplayOptions options) {
        QualifiedName table = options.table();
        return database.rows(
                REPLAY,
                row -> new ConflictReplay(
                        table(row),
                        row.text("conflict_type"),
                        row.big("conflicts"),
                        row.big("would_differ"),
                        row.big("would_wait"),
                        row.big("not_readable"),
                        row.textOrNull("examples")),
                options.strategy(),
                table == null ? null : table.sql(),
                seconds(options.newerThan()),
                seconds(options.olderThan()),
                array(options.priority()));
    }

    @Override
    public void resolve(long id, Resolution resolution) {
        database.run(
                "SELECT steep_repl.resolve_conflict(?, ?, ?::jsonb, ?, ?::text)",
                id,
                resolution.side().name(),
                resolution.merged(),
                resolution.force(),
                resolution.reason());
    }

    @Override
    public int resolveAll(BulkFilter filter, Resolution.Side side, @Nullable String reason, boolean dryRun) {
        QualifiedName table = filter.table();
        return database.row(
                "SELECT steep_repl.resolve_conflicts_bulk(?, ?::bigint, ?::text, ?::timestamptz, ?::timestamptz, ?::text, ?, ?::text) AS resolved",
                row -> (int) row.big("resolved"),
                side.name(),
                filter.originXid(),
                table == null ? null : table.sql(),
                text(filter.since()),
                text(filter.until()),
                filter.origin(),
                dryRun,
                reason);
    }

    @Override
    public long revert(long id, String reason, boolean force) {
        return database.row(
                "SELECT steep_repl.revert_resolution(?, ?, ?) AS entry", row -> row.big("entry"), id, reason, force);
    }

    private static @Nullable String text(@Nullable Instant time) {
        return time == null ? null : time.toString();
    }

    private static Conflict conflict(Row row) throws SQLException {
        return new Conflict(
                row.big("id"),
                row.time("detected_at"),
                row.text("subscription"),
                table(row),
                row.text("conflict_type"),
                row.textOrNull("peer"),
                side(row, "local"),
                side(row, "remote"),
                row.textOrNull("base_tuple"),
                row.bigOrNull("origin_xid"),
                row.lsnOrNull("remote_lsn"),
                row.textOrNull("key"),
                row.textOrNull("key_id"),
                row.textOrNull("conflict_key"),
                row.flag("tuples_visible"),
                decision(row),
                new Conflict.Proof(
                        row.timeOrNull("converged_at"),
                        row.textOrNull("not_converged_reason"),
                        row.number("proofs"),
                        row.timeOrNull("next_proof")));
    }

    private static Conflict.Side side(Row row, String side) throws SQLException {
        return new Conflict.Side(
                row.textOrNull(side + "_tuple"), row.textOrNull(side + "_origin"), row.timeOrNull(side + "_xact_ts"));
    }

    private static Conflict.Decision decision(Row row) throws SQLException {
        return new Conflict.Decision(
                row.textOrNull("resolution"),
                row.timeOrNull("resolved_at"),
                row.textOrNull("resolved_by"),
                row.textOrNull("strategy"),
                row.textOrNull("winner"),
                row.textOrNull("result"),
                row.flag("possible"),
                row.textOrNull("reason"),
                row.textOrNull("sqlstate"),
                row.textOrNull("error"));
    }

    private static ConflictCount count(Row row) throws SQLException {
        return new ConflictCount(
                row.text("conflict_type"),
                table(row),
                row.textOrNull("peer"),
                row.big("total"),
                row.big("last_hour"),
                row.big("last_day"),
                row.real("per_minute"),
                row.big("pending"),
                row.big("unproven"),
                row.big("possible"),
                row.time("last_at"),
                counters(row));
    }

    private static ConflictCount.@Nullable NativeCounters counters(Row row) throws SQLException {
        if (row.bigOrNull("native_insert_exists") == null) {
            return null;
        }
        return new ConflictCount.NativeCounters(
                row.big("native_insert_exists"),
                row.big("native_update_exists"),
                row.big("native_update_origin_differs"),
                row.big("native_update_missing"),
                row.big("native_delete_origin_differs"),
                row.big("native_delete_missing"),
                row.big("native_multiple_unique"),
                row.big("native_apply_errors"));
    }

    private static QualifiedName table(Row row) throws SQLException {
        return new QualifiedName(row.text("table_schema"), row.text("table_name"));
    }

    private static @Nullable Double seconds(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis() / 1000.0;
    }
}
