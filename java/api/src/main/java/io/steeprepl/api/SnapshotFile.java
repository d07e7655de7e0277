package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * A file of a snapshot, compared with its checksum.
 *
 * @param bytes how large it is, null when it is not there
 * @param problem what is wrong with it, null when it is whole
 */
public record SnapshotFile(
        String file, @Nullable Long bytes, @Nullable String problem) {}
