/** Who did what. */
@NullMarked
package io.steeprepl.cli.audit;

import org.jspecify.annotations.NullMarked;
