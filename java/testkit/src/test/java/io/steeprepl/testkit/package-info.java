/** The test kit on itself: real servers, real faults. */
@NullMarked
package io.steeprepl.testkit;

import org.jspecify.annotations.NullMarked;
