/** Putting the extension's files into a PostgreSQL server of the user's. */
@NullMarked
package io.steeprepl.cli.extension;

import org.jspecify.annotations.NullMarked;
