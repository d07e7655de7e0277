/** Daemons as processes of their own beside real nodes: what they serve, what they survive, and what they refuse. */
@NullMarked
package io.steeprepl.it.daemon;

import org.jspecify.annotations.NullMarked;
