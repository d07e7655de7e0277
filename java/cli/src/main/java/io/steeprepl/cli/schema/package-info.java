/** The commands of the noun schema. */
@NullMarked
package io.steeprepl.cli.schema;

import org.jspecify.annotations.NullMarked;
