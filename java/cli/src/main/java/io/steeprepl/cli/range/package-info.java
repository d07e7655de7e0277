/** The commands of the noun range. */
@NullMarked
package io.steeprepl.cli.range;

import org.jspecify.annotations.NullMarked;
