package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot that this node wrote.
 *
 * @param id that of the work that wrote it
 * @param state complete, or missing when it is no longer where it was
 * @param lsn of which moment it is
 * @param bytes of its files
 */
public record Snapshot(
        long id,
        String path,
        String state,
        Instant createdAt,
        Lsn lsn,
        @Nullable String slotName,
        String compression,
        long tables,
        long rows,
        long bytes) {}
