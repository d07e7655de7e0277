/** The commands of the noun snapshot. */
@NullMarked
package io.steeprepl.cli.snapshot;

import org.jspecify.annotations.NullMarked;
