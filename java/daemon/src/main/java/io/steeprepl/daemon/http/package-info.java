/** Health and metrics for monitors. Nothing here waits for the database. */
@NullMarked
package io.steeprepl.daemon.http;

import org.jspecify.annotations.NullMarked;
