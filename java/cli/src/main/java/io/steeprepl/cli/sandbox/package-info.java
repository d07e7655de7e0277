/** {@code sandbox}: embedded nodes to try things out on. The work is the test kit's. */
@NullMarked
package io.steeprepl.cli.sandbox;

import org.jspecify.annotations.NullMarked;
