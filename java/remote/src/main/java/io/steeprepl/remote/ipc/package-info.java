/**
 * A daemon on this machine, by its Unix socket, or its named pipe on Windows: one JSON object a line, {@code {"id","method","params"}} there and
 * {@code {"id","result","error"}} back.
 *
 * <p>Belongs here: the asking end. Does not: what the methods mean, and the daemon's end.
 */
@NullMarked
package io.steeprepl.remote.ipc;

import org.jspecify.annotations.NullMarked;
