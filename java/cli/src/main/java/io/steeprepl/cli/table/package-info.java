/** Replicated tables. */
@NullMarked
package io.steeprepl.cli.table;

import org.jspecify.annotations.NullMarked;
