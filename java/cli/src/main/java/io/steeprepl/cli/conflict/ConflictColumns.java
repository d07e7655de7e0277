package io.steeprepl.cli.conflict;

import io.steeprepl.api.Conflict;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is printed of a conflict in a list. */
final class ConflictColumns {
    /** For people: enough to pick one, the rest shows {@code conflict show}. */
    static final List<Column<Conflict>> LIST = List.of(
            Column.of("id", Conflict::id),
            Column.of("detected_at", Conflict::detectedAt),
            Column.of("conflict_type", Conflict::kind),
            Column.of("table", Conflict::table),
            Column.of("key", ConflictColumns::key),
            Column.of("local_origin", c -> c.local().origin()),
            Column.of("remote_origin", c -> c.remote().origin()),
            Column.of("winner", c -> c.decision().winner()),
            Column.of("resolution", c -> c.decision().resolution()),
            Column.of("converged_at", c -> c.proof().convergedAt()));

    /** For programs: the columns of the view steep_repl.conflicts, under their names. */
    static final List<Column<Conflict>> ALL = List.of(
            Column.of("id", Conflict::id),
            Column.of("detected_at", Conflict::detectedAt),
            Column.of("subscription", Conflict::subscription),
            Column.of("table_schema", c -> c.table().schema()),
            Column.of("table_name", c -> c.table().name()),
            Column.of("conflict_type", Conflict::kind),
            Column.of("local_tuple", c -> Json.Raw.of(c.local().tuple())),
            Column.of("remote_tuple", c -> Json.Raw.of(c.remote().tuple())),
            Column.of("local_origin", c -> c.local().origin()),
            Column.of("remote_origin", c -> c.remote().origin()),
            Column.of("local_xact_ts", c -> c.local().committedAt()),
            Column.of("remote_xact_ts", c -> c.remote().committedAt()),
            Column.of("origin_xid", Conflict::originXid),
            Column.of("resolution", c -> c.decision().resolution()),
            Column.of("resolved_at", c -> c.decision().resolvedAt()),
            Column.of("resolved_by", c -> c.decision().resolvedBy()),
            Column.of("peer", Conflict::peer),
            Column.of("conflict_key", Conflict::conflictKey),
            Column.of("key", c -> Json.Raw.of(c.key())),
            Column.of("key_id", Conflict::keyId),
            Column.of("base_tuple", c -> Json.Raw.of(c.base())),
            Column.of("result", c -> Json.Raw.of(c.decision().result())),
            Column.of("strategy", c -> c.decision().strategy()),
            Column.of("winner", c -> c.decision().winner()),
            Column.of("possible", c -> c.decision().possible()),
            Column.of("remote_lsn", Conflict::remoteLsn),
            Column.of("sqlstate", c -> c.decision().sqlState()),
            Column.of("error", c -> c.decision().error()),
            Column.of("reason", c -> c.decision().reason()),
            Column.of("converged_at", c -> c.proof().convergedAt()),
            Column.of("not_converged_reason", c -> c.proof().notConvergedReason()),
            Column.of("proofs", c -> c.proof().attempts()),
            Column.of("next_proof", c -> c.proof().nextAt()),
            Column.of("tuples_visible", Conflict::tuplesVisible));

    private ConflictColumns() {}

    /** The key on one line, or why it is not there. */
    static @Nullable String key(Conflict conflict) {
        if (!conflict.tuplesVisible()) {
            return hidden(conflict);
        }
        Tuple key = Tuple.parse(conflict.key());
        return key == null ? null : key.line();
    }

    /** What stands where the caller may not look. */
    static String hidden(Conflict conflict) {
        return "(no SELECT on " + conflict.table() + ")";
    }
}
