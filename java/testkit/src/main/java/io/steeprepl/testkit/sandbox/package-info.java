/** Nodes in a folder that stay up until they are stopped, for trying things out. */
@NullMarked
package io.steeprepl.testkit.sandbox;

import org.jspecify.annotations.NullMarked;
