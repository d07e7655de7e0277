/** Commands on nodes: the registry, and starting a node from another one. */
@NullMarked
package io.steeprepl.cli.node;

import org.jspecify.annotations.NullMarked;
