/**
 * What must hold at the end of a history, as rules over plain values: no database, no clock. Each write carries an id of
 * its own and the id of the write that it had read.
 */
@NullMarked
package io.steeprepl.it.history.oracle;

import org.jspecify.annotations.NullMarked;
