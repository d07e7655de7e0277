/**
 * Watching the daemons of peers: asking each how it is, and what follows from the answers.
 *
 * <p>Belongs here: when to ask, and the decision, which is a pure function. Does not: gRPC, SQL; the loop imports the
 * policy, never the reverse.
 */
@NullMarked
package io.steeprepl.daemon.peer;

import org.jspecify.annotations.NullMarked;
