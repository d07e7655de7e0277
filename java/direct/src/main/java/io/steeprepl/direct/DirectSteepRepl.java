package io.steeprepl.direct;

import io.steeprepl.api.AuditApi;
import io.steeprepl.api.ConflictApi;
import io.steeprepl.api.HealthApi;
import io.steeprepl.api.NodeApi;
import io.steeprepl.api.RangeApi;
import io.steeprepl.api.StartApi;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.SubscriptionApi;
import io.steeprepl.api.TableApi;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;

/** A node that is reached by a connection to its database. */
public final class DirectSteepRepl implements SteepRepl {
    private final Database database;

    private DirectSteepRepl(Database database) {
        this.database = database;
    }

    /** Connects. Throws {@link io.steeprepl.api.ApiException.CannotConnect}. */
    public static DirectSteepRepl connect(ConnectionSpec spec, Connector connector) {
        return new DirectSteepRepl(new Database(connector.connect(spec)));
    }

    @Override
    public NodeApi nodes() {
        return new DirectNodes(database);
    }

    @Override
    public HealthApi health() {
        return new DirectHealth(database);
    }

    @Override
    public AuditApi audit() {
        return new DirectAudit(database);
    }

    @Override
    public SubscriptionApi subscriptions() {
        return new DirectSubscriptions(database);
    }

    @Override
    public TableApi tables() {
        return new DirectTables(database);
    }

    @Override
    public ConflictApi conflicts() {
        return new DirectConflicts(database);
    }

    @Override
    public RangeApi ranges() {
        return new DirectRanges(database);
    }

    @Override
    public StartApi start() {
        return new DirectStart(database);
    }

    @Override
    public void cancel() {
        database.cancel();
    }

    @Override
    public void close() {
        database.close();
    }
}
