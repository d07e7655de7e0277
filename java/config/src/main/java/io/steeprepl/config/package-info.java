/**
 * The configuration file: where it is, read strictly with the line of everything, shown without its secrets.
 *
 * <p>Belongs here: what all sections need. Does not: what a single section means.
 */
@NullMarked
package io.steeprepl.config;

import org.jspecify.annotations.NullMarked;
