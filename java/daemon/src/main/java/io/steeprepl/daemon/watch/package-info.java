/** The one loop that looks at the database, and what it saw last: all that is told without asking the database goes by it. */
@NullMarked
package io.steeprepl.daemon.watch;

import org.jspecify.annotations.NullMarked;
