/** Commands that make certificates: an authority of one's own, and a certificate a node. */
@NullMarked
package io.steeprepl.cli.tls;

import org.jspecify.annotations.NullMarked;
