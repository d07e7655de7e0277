/** The socket for programs of the same account: JSON, one document a line. */
@NullMarked
package io.steeprepl.daemon.ipc;

import org.jspecify.annotations.NullMarked;
