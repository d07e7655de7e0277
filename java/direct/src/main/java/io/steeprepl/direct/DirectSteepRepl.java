package io.steeprepl.direct;

import io.steeprepl.api.AuditApi;
import io.steeprepl.api.ConflictApi;
import io.steeprepl.api.HealthApi;
import io.steeprepl.api.NodeApi;
import io.steeprepl.api.RangeApi;
import io.steeprepl.api.ReinitApi;
import io.steeprepl.api.SchemaApi;
import io.steeprepl.api.SnapshotApi;
import io.steeprepl.api.StartApi;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.SubscriptionApi;
import io.steeprepl.api.TableApi;
import io.steeprepl.api.WorkApi;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import java.sql.Connection;

/** A node that is reached by a connection to its database. */
public final class DirectSteepRepl implements SteepRepl {
    private final Database database;

    private DirectSteepRepl(Database database) {
        this.database = database;
    }

    /** Connects. Throws {@link io.steeprepl.api.ApiException.CannotConnect}. */
    public static DirectSteepRepl connect(ConnectionSpec spec, Connector connector) {
        return over(connector.connect(spec));
    }

    /** A node that is reached by a connection that exists; closing closes it. */
    public static DirectSteepRepl over(Connection connection) {
        return new DirectSteepRepl(new Database(connection, false));
    }

    /** The same for one operation, after which the connection goes back to its pool: a cancel holds until then. */
    public static DirectSteepRepl lent(Connection connection) {
        return new DirectSteepRepl(new Database(connection, true));
    }

    /** The server's version. */
    public ServerVersion serverVersion() {
        return database.serverVersion();
    }

    /** The connection itself, for who lends it to others. */
    public Connection connection() {
        return database.connection();
    }

    /** Whether the server answers. Throws {@link io.steeprepl.api.ApiException} when it does not. */
    public void ping() {
        database.run("SELECT 1");
    }

    /** Entries of the audit log in the name of a program that watches the node. */
    public DirectEvents events() {
        return new DirectEvents(database);
    }

    /** Gives the connection up at once, whatever runs on it; any thread may call this. */
    public void abort() {
        database.abort();
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
    public SchemaApi schemas() {
        return new DirectSchemas(database);
    }

    @Override
    public SnapshotApi snapshots() {
        return new DirectSnapshots(database);
    }

    @Override
    public WorkApi work() {
        return new DirectWork(database);
    }

    @Override
    public StartApi start() {
        return new DirectStart(database);
    }

    @Override
    public ReinitApi reinit() {
        return new DirectReinit(database);
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
