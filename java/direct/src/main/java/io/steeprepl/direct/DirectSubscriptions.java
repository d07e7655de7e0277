package io.steeprepl.direct;

import io.steeprepl.api.SubscriptionApi;
import io.steeprepl.api.SubscriptionStatus;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link SubscriptionApi} by SQL. */
record DirectSubscriptions(Database database) implements SubscriptionApi {
    @Override
    public List<SubscriptionStatus> list() {
        return database.rows(
                "SELECT * FROM steep_repl.subscription_status() ORDER BY peer",
                row -> new SubscriptionStatus(
                        row.text("peer"),
                        row.text("state"),
                        row.bigOrNull("lag_bytes"),
                        row.floatOrNull("lag_seconds"),
                        row.textOrNull("last_error"),
                        row.timeOrNull("last_error_at"),
                        row.numberOrNull("blocked_by"),
                        row.textOrNull("slot_name"),
                        row.bigOrNull("retained_wal_bytes"),
                        row.lsnOrNull("received_lsn"),
                        row.timeOrNull("last_message_at"),
                        row.number("tables_pending")));
    }

    @Override
    public void add(String peer, @Nullable String conninfo, boolean copyData) {
        database.run("SELECT steep_repl.subscribe(?, ?::text, ?)", peer, conninfo, copyData);
    }

    @Override
    public void remove(String peer) {
        database.run("SELECT steep_repl.unsubscribe(?)", peer);
    }

    @Override
    public void pause(String peer) {
        database.run("SELECT steep_repl.pause(?)", peer);
    }

    @Override
    public void resume(String peer) {
        database.run("SELECT steep_repl.resume(?)", peer);
    }
}
