/** Conflicts: what was logged, what was decided and why, how many there are. */
@NullMarked
package io.steeprepl.cli.conflict;

import org.jspecify.annotations.NullMarked;
