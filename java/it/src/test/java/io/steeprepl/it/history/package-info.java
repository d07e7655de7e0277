/**
 * Random histories on real servers: conflicting writes on all nodes, faults between and during them, and at the end the
 * judgement of the {@link io.steeprepl.it.history.oracle.Oracle}. A plan comes from its seed alone.
 */
@NullMarked
package io.steeprepl.it.history;

import org.jspecify.annotations.NullMarked;
