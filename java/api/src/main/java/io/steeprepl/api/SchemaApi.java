package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What tables are, here and on other nodes. A peer is named by its node id or by a connection string, which the node's own
 * server uses. All methods throw {@link ApiException}.
 */
public interface SchemaApi {
    /** The fingerprint of a table as it is now: the same on all nodes where the table is the same. */
    String fingerprint(QualifiedName table);

    /** Keeps the fingerprints of all tables of users as they are now; how many there are. */
    int capture();

    /** All tables of users, here and on a peer. */
    List<TableComparison> compare(String peer);

    /** What differs between here and a peer, of one table or of all when {@code table} is null. */
    List<SchemaDifference> diff(String peer, @Nullable QualifiedName table);

    /** What a table is, or all tables of users when {@code table} is null. */
    List<TableDefinition> definitions(@Nullable QualifiedName table);
}
