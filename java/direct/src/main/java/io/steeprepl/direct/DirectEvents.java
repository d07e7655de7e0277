package io.steeprepl.direct;

/** Entries of the audit log that a program writes which watches the node. */
public final class DirectEvents {
    private final Database database;

    DirectEvents(Database database) {
        this.database = database;
    }

    /** Writes one. Throws {@link io.steeprepl.api.ApiException}. */
    public void write(WatcherEvent event) {
        database.run(
                "SELECT steep_repl.record_event(?::timestamptz, ?, ?::text, ?::text, ?::jsonb, ?::jsonb, ?::inet, ?::text)",
                event.at().toString(),
                event.action(),
                event.targetType(),
                event.targetId(),
                event.oldValue(),
                event.newValue(),
                event.clientIp(),
                event.error());
    }
}
