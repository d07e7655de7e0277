package io.steeprepl.cli.subscription;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.SubscriptionStatus;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code subscription list}. */
@Command(
        name = "list",
        description = "Every link of this node: state, lag, last error, what blocks it.",
        footer = "  steep-repl -c service=berlin subscription list -o json")
final class SubscriptionListCommand extends NodeAction {
    private static final List<Column<SubscriptionStatus>> COLUMNS = List.of(
            Column.of("peer", SubscriptionStatus::peer),
            Column.of("state", SubscriptionStatus::state),
            Column.of("lag_bytes", SubscriptionStatus::lagBytes),
            Column.of("lag_seconds", SubscriptionStatus::lagSeconds),
            Column.of("tables_pending", SubscriptionStatus::tablesPending),
            Column.of("blocked_by", SubscriptionStatus::blockedBy),
            Column.of("received_lsn", SubscriptionStatus::receivedLsn),
            Column.of("last_message_at", SubscriptionStatus::lastMessageAt),
            Column.of("slot_name", SubscriptionStatus::slotName),
            Column.of("retained_wal_bytes", SubscriptionStatus::retainedWalBytes),
            Column.of("last_error_at", SubscriptionStatus::lastErrorAt),
            Column.of("last_error", SubscriptionStatus::lastError));

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        out.list(COLUMNS, node.subscriptions().list(), "this node receives from nobody; subscription add makes a link");
        return ExitCode.OK;
    }
}
