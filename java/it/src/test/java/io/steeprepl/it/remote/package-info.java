/** Nodes that are reached through their daemons: the same answers as from the database, and who is let in. */
@NullMarked
package io.steeprepl.it.remote;

import org.jspecify.annotations.NullMarked;
