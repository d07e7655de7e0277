package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The conflicts that this node has logged. All methods throw {@link ApiException}. */
public interface ConflictApi {
    /** The entries that fit, newest first. */
    List<Conflict> list(ConflictFilter filter);

    /** One entry with the history of its key. */
    ConflictHistory show(long id);

    /** The counts by kind, table and peer. */
    List<ConflictCount> stats();

    /** The strategies that a table may have. */
    List<ConflictStrategy> strategies();

    /** Gives a table a strategy, on all nodes. */
    void setStrategy(QualifiedName table, StrategyOptions options);

    /**
     * Gives tables strategies, on all nodes: all of them in one transaction, or none.
     *
     * @param dryRun does it and takes it back
     * @return every table that refused; when there is one, nothing has been changed
     */
    List<StrategyRefusal> setStrategies(List<TableStrategy> wanted, boolean dryRun);

    /** What another strategy would have made of the logged conflicts, by kind and table. */
    List<ConflictReplay> replay(ReplayOptions options);

    /** Resolves a conflict by hand, on all nodes. */
    void resolve(long id, Resolution resolution);

    /** Resolves all pending conflicts that fit, or none; how many. {@code dryRun}: does it and takes it back. */
    int resolveAll(BulkFilter filter, Resolution.Side side, @Nullable String reason, boolean dryRun);

    /** Takes a decision back, on all nodes; the id of the entry that this makes. */
    long revert(long id, String reason, boolean force);
}
