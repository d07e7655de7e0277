/** {@code demo}: two offices with a database each that both take writes, and the proof that they end up equal. */
@NullMarked
package io.steeprepl.cli.demo;

import org.jspecify.annotations.NullMarked;
