/**
 * What steep-repl can do, one interface a noun, and the values that go in and out. Every way to reach a node implements
 * {@link io.steeprepl.api.SteepRepl}; clients see nothing else.
 *
 * <p>Belongs here: interfaces, records, errors. Does not: SQL, sockets, text for terminals.
 */
@NullMarked
package io.steeprepl.api;

import org.jspecify.annotations.NullMarked;
