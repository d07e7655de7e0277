/** Input that nobody has thought of, made by Jazzer. */
@NullMarked
package io.steeprepl.it.fuzz;

import org.jspecify.annotations.NullMarked;
