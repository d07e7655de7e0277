/** Following work that a server does by itself: how it is looked at, how it is shown, what Ctrl-C does meanwhile. */
@NullMarked
package io.steeprepl.cli.progress;

import org.jspecify.annotations.NullMarked;
