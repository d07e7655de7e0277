/**
 * The section {@code repl}: what the daemon is to do. {@link io.steeprepl.config.repl.Keys} lists every key once, with its
 * kind, its default and whether it can be changed while the daemon runs; reading, the reference of keys and reloading all go
 * by that list.
 */
@NullMarked
package io.steeprepl.config.repl;

import org.jspecify.annotations.NullMarked;
