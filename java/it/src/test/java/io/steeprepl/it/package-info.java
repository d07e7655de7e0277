/** Tests of the whole system on real servers. A class a noun; methods are named after what must hold. */
@NullMarked
package io.steeprepl.it;

import org.jspecify.annotations.NullMarked;
