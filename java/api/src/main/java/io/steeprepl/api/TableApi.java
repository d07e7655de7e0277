package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The replicated tables. All methods throw {@link ApiException}. */
public interface TableApi {
    /** Every replicated table. */
    List<ReplicatedTable> list();

    /**
     * Replicates a table on all linked nodes, in both directions.
     *
     * @param table which
     * @param options how
     * @return its state
     */
    String add(QualifiedName table, TableOptions options);

    /** Replicates every table of a schema that can be; the reason why not for the others. */
    List<AddedTable> addAll(String schema);

    /** Ends the replication of a table. Its rows stay everywhere. */
    void remove(QualifiedName table);

    /** What happened to one table of a schema. {@code reason} is null for a table that is replicated. */
    record AddedTable(
            String tableName, String state, @Nullable String reason) {}
}
