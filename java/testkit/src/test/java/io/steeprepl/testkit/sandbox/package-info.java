/** Sandboxes in folders of their own. */
@NullMarked
package io.steeprepl.testkit.sandbox;

import org.jspecify.annotations.NullMarked;
