package io.steeprepl.testkit.sandbox;

import org.jspecify.annotations.Nullable;

/**
 * A node of a sandbox as users see it.
 *
 * @param nodeId a, b, c, …
 * @param uri how to connect
 * @param pid the postmaster's process id, null while it is down
 * @param dataDir its data folder
 * @param log its log file
 */
public record SandboxNode(
        String nodeId, String uri, @Nullable Long pid, String dataDir, String log) {}
