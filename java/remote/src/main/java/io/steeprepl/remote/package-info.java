/**
 * The api over a line: what each operation is called there, how arguments and results travel as JSON, and both ends of
 * it. {@link io.steeprepl.remote.RemoteSteepRepl} asks, {@link io.steeprepl.remote.Dispatcher} answers.
 *
 * <p>Belongs here: names and forms of the operations. Does not: sockets (they are in the packages below), SQL, text for
 * terminals.
 */
@NullMarked
package io.steeprepl.remote;

import org.jspecify.annotations.NullMarked;
