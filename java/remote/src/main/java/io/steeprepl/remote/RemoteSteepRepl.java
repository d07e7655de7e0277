package io.steeprepl.remote;

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

/** A node that is reached through the daemon beside it. */
public final class RemoteSteepRepl implements SteepRepl {
    private final Transport transport;
    private final Line line;

    /** Closing this closes the transport. */
    public RemoteSteepRepl(Transport transport) {
        this.transport = transport;
        this.line = new Line(transport);
    }

    @Override
    public NodeApi nodes() {
        return new RemoteNodes(line);
    }

    @Override
    public HealthApi health() {
        return new RemoteHealth(line);
    }

    @Override
    public AuditApi audit() {
        return new RemoteAudit(line);
    }

    @Override
    public SubscriptionApi subscriptions() {
        return new RemoteSubscriptions(line);
    }

    @Override
    public TableApi tables() {
        return new RemoteTables(line);
    }

    @Override
    public ConflictApi conflicts() {
        return new RemoteConflicts(line);
    }

    @Override
    public RangeApi ranges() {
        return new RemoteRanges(line);
    }

    @Override
    public SchemaApi schemas() {
        return new RemoteSchemas(line);
    }

    @Override
    public SnapshotApi snapshots() {
        return new RemoteSnapshots(line);
    }

    @Override
    public WorkApi work() {
        return new RemoteWork(line);
    }

    @Override
    public StartApi start() {
        return new RemoteStart(line);
    }

    @Override
    public ReinitApi reinit() {
        return new RemoteReinit(line);
    }

    @Override
    public void cancel() {
        transport.cancel();
    }

    @Override
    public void close() {
        transport.close();
    }
}
