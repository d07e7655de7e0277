package io.steeprepl.api;

/** An open connection to one node, by noun. Not for several threads at once, except {@link #cancel()}. */
public interface SteepRepl extends AutoCloseable {
    /** The nodes that this node knows. */
    NodeApi nodes();

    /** How this node is. */
    HealthApi health();

    /** Who did what. */
    AuditApi audit();

    /** The links on which this node receives. */
    SubscriptionApi subscriptions();

    /** The tables that are replicated. */
    TableApi tables();

    /** The conflicts that this node has logged. */
    ConflictApi conflicts();

    /** The ranges of ids that each node hands out. */
    RangeApi ranges();

    /** What tables are, here and on other nodes. */
    SchemaApi schemas();

    /** All rows of many tables, in files. */
    SnapshotApi snapshots();

    /** Long work in the background. */
    WorkApi work();

    /** Initialising this node from another one. */
    StartApi start();

    /** Taking tables of this node anew from a peer. */
    ReinitApi reinit();

    /** Cancels the call that runs now, if any; it then throws {@link ApiException.Cancelled}. Any thread may call this. */
    void cancel();

    @Override
    void close();
}
