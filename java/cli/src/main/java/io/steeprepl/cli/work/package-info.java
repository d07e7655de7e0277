/** The commands of the noun work, and following work of all kinds. */
@NullMarked
package io.steeprepl.cli.work;

import org.jspecify.annotations.NullMarked;
