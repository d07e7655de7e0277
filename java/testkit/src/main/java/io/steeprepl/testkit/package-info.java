/**
 * Real PostgreSQL 18 servers for the sandbox, the demo and the tests: starting, stopping, killing and freezing them, and a
 * proxy that cuts the network between them. Knows nothing of the command line.
 */
@NullMarked
package io.steeprepl.testkit;

import org.jspecify.annotations.NullMarked;
