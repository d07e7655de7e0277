/** Where log lines go: JSON lines on standard output, or the system's log. */
@NullMarked
package io.steeprepl.daemon.log;

import org.jspecify.annotations.NullMarked;
