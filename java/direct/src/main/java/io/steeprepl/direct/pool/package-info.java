/** Connections for requests that come from several sides at once. */
@NullMarked
package io.steeprepl.direct.pool;

import org.jspecify.annotations.NullMarked;
