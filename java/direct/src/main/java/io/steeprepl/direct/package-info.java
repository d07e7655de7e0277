/**
 * The api by JDBC: the only SQL text in Java, one class a noun. Every method is one call of the extension's SQL API and
 * the mapping of what comes back.
 *
 * <p>Does not belong here: decisions. Those are the extension's.
 */
@NullMarked
package io.steeprepl.direct;

import org.jspecify.annotations.NullMarked;
