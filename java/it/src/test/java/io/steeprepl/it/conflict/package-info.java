/** Every kind of conflict on real nodes: written apart, brought together, compared on all nodes and in their logs. */
@NullMarked
package io.steeprepl.it.conflict;

import org.jspecify.annotations.NullMarked;
