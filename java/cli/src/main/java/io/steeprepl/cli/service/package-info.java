/** {@code run}, and the daemon as a service of the system. */
@NullMarked
package io.steeprepl.cli.service;

import org.jspecify.annotations.NullMarked;
