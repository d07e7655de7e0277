/** The daemon as a service of the system. */
@NullMarked
package io.steeprepl.daemon.service;

import org.jspecify.annotations.NullMarked;
