/** How a node is. */
@NullMarked
package io.steeprepl.cli.health;

import org.jspecify.annotations.NullMarked;
