/** What has changed, told to whoever listens. */
@NullMarked
package io.steeprepl.daemon.event;

import org.jspecify.annotations.NullMarked;
