/**
 * The daemon beside a node: it watches the node and its peers, and serves programs and people who ask. It decides when and
 * where; whether and what is decided by the extension.
 *
 * <p>{@link io.steeprepl.daemon.Daemon} puts the parts together; each part has a package of its own.
 */
@NullMarked
package io.steeprepl.daemon;

import org.jspecify.annotations.NullMarked;
