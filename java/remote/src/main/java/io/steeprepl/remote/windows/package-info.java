/**
 * What Windows has and Java has no class for: functions of its libraries, and named pipes, both ends, as byte channels.
 *
 * <p>Belongs here: what a pipe is called, who may open it, bytes that go through. Does not: what they mean.
 */
@NullMarked
package io.steeprepl.remote.windows;

import org.jspecify.annotations.NullMarked;
