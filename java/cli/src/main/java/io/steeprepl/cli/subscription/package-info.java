/** Links on which a node receives from peers. */
@NullMarked
package io.steeprepl.cli.subscription;

import org.jspecify.annotations.NullMarked;
