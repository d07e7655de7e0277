package io.steeprepl.config.repl;

import java.time.Duration;
import java.util.Map;

/**
 * How the daemons of peers are watched.
 *
 * @param threshold after how many failures in a row a peer counts as lost
 * @param addresses {@code host:port} by node id, where the registry's host and our own port do not fit
 */
public record PeerSettings(Duration interval, Duration timeout, int threshold, Map<String, String> addresses) {}
