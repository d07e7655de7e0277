package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** All rows of many tables in files on the server, and loading them elsewhere. All methods throw {@link ApiException}. */
public interface SnapshotApi {
    /** Asks for a snapshot; the server takes it in the background. */
    StartedWork generate(GenerateOptions options);

    /** Asks for a snapshot to be loaded into empty tables; the server does it in the background. */
    StartedWork apply(ApplyOptions options);

    /** The snapshots that this node wrote and that were not deleted. */
    List<Snapshot> list();

    /** Compares every file of a snapshot with its checksum. */
    List<SnapshotFile> verify(String path);

    /**
     * Removes a snapshot's files.
     *
     * @return where they were
     */
    String delete(long id);

    /**
     * Ends the taking or loading of a snapshot.
     *
     * @return cancelled when it had not begun, cancelling when it is being stopped
     */
    String cancel(long id);

    /** How far taking or loading is: of one, or of all that waits, runs, or ended within the last hour. */
    List<WorkProgress> progress(@Nullable Long id);

    /**
     * A snapshot to take; null leaves to the server.
     *
     * @param path a folder on the server that does not exist
     * @param compression none, gzip, lz4 or zstd
     * @param parallel how many streams share the work
     * @param tables as schema.table or schema.*; empty for all
     * @param slot a replication slot to make that goes on from the snapshot's moment
     * @param preparation of new nodes that will be filled from it
     */
    record GenerateOptions(
            String path,
            @Nullable String compression,
            @Nullable Integer parallel,
            List<String> tables,
            @Nullable String slot,
            @Nullable String preparation) {}

    /**
     * A snapshot to load; null leaves to the server.
     *
     * @param path its folder on the server
     * @param parallel how many streams share the work
     * @param verify whether all files are compared with their checksums before anything is loaded
     * @param strict whether tables that are defined otherwise than in the snapshot are refused
     */
    record ApplyOptions(
            String path,
            @Nullable Integer parallel,
            @Nullable Boolean verify,
            @Nullable Boolean strict) {}
}
