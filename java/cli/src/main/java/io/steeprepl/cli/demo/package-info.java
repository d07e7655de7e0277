/** {@code demo}: two offices with a database each that both take writes, a cut network, conflicts, and the proof of equality. */
@NullMarked
package io.steeprepl.cli.demo;

import org.jspecify.annotations.NullMarked;
