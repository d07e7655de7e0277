package io.steeprepl.direct;

import io.steeprepl.api.AuditApi;
import io.steeprepl.api.AuditEntry;
import io.steeprepl.api.AuditFilter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link AuditApi} by SQL. */
record DirectAudit(Database database) implements AuditApi {
    private static final String LIST = """
            SELECT a.id, a.occurred_at, a.action, a.actor, a.target_type, a.target_id, a.old_value::text, a.new_value::text,
                   host(a.client_ip) AS client_ip, a.success, a.error_message
              FROM steep_repl.audit_log a, (SELECT ?::text AS action, ?::text AS actor, ?::float8 AS newer, ?::boolean AS failed) f
             WHERE (f.action IS NULL OR a.action = f.action)
               AND (f.actor IS NULL OR f.actor IN (a.actor, split_part(a.actor, '@', 1), split_part(a.actor, ' for ', 1), split_part(a.actor, ' for ', 2)))
               AND (f.newer IS NULL OR a.occurred_at >= now() - make_interval(secs => f.newer))
               AND NOT (f.failed AND a.success)
             ORDER BY a.id DESC LIMIT ?""";

    @Override
    public List<AuditEntry> list(AuditFilter filter) {
        return database.rows(
                LIST,
                DirectAudit::entry,
                filter.action(),
                filter.actor(),
                seconds(filter.newerThan()),
                filter.failedOnly(),
                filter.limit());
    }

    private static AuditEntry entry(Row row) throws SQLException {
        return new AuditEntry(
                row.big("id"),
                row.time("occurred_at"),
                row.text("action"),
                row.text("actor"),
                row.textOrNull("target_type"),
                row.textOrNull("target_id"),
                row.textOrNull("old_value"),
                row.textOrNull("new_value"),
                row.textOrNull("client_ip"),
                row.flag("success"),
                row.textOrNull("error_message"));
    }

    @Override
    public long prune(Duration olderThan) {
        return database.row(
                "SELECT steep_repl.prune_audit_log(make_interval(secs => ?::float8)) AS pruned",
                row -> row.big("pruned"),
                seconds(olderThan));
    }

    private static @Nullable Double seconds(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis() / 1000.0;
    }
}
