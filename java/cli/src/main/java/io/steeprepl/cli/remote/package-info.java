/** Ways to daemons: the one that {@code --remote} names, and the one of this machine. */
@NullMarked
package io.steeprepl.cli.remote;

import org.jspecify.annotations.NullMarked;
