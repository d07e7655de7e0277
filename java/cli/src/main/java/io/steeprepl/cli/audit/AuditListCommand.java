package io.steeprepl.cli.audit;

import io.steeprepl.api.AuditEntry;
import io.steeprepl.api.AuditFilter;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.Durations;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code audit list}. */
@Command(
        name = "list",
        description = "The latest entries of the audit log, newest first.",
        footer = "  steep-repl audit list --actor postgres --since 12h --limit 20")
final class AuditListCommand extends NodeAction {
    private static final List<Column<AuditEntry>> COLUMNS = List.of(
            Column.of("id", AuditEntry::id),
            Column.of("occurred_at", AuditEntry::occurredAt),
            Column.of("action", AuditEntry::action),
            Column.of("actor", AuditEntry::actor),
            Column.of("target_type", AuditEntry::targetType),
            Column.of("target_id", AuditEntry::targetId),
            Column.of("success", AuditEntry::success),
            Column.of("error_message", AuditEntry::errorMessage),
            Column.of("client_ip", AuditEntry::clientIp),
            Column.of("old_value", entry -> Json.Raw.of(entry.oldValue())),
            Column.of("new_value", entry -> Json.Raw.of(entry.newValue())));

    @Option(names = "--action", paramLabel = "ACTION", description = "Only this action, such as node.register.")
    private @Nullable String action;

    @Option(
            names = "--actor",
            paramLabel = "WHO",
            description = "Only what this role did, anywhere or as role@host, or what a daemon did for this name.")
    private @Nullable String actor;

    @Option(names = "--since", paramLabel = "DURATION", description = "Only what is newer: 90s, 30m, 12h, 30d, 6w, 2y.")
    private @Nullable String since;

    @Option(names = "--failed", description = "Only what failed.")
    private boolean failed;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many. Default: ${DEFAULT-VALUE}.")
    private int limit = 50;

    @Override
    protected void check() {
        if (since != null) {
            Durations.parse(since);
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        var newer = since == null ? null : Durations.parse(since);
        var entries = node.audit().list(new AuditFilter(action, actor, newer, failed, Math.max(0, limit)));
        // The values are long: for people only where they asked for everything about little.
        boolean whole = out.json() || entries.size() == 1;
        out.list(whole ? COLUMNS : COLUMNS.subList(0, COLUMNS.size() - 2), entries, "no entries");
        return ExitCode.OK;
    }
}
