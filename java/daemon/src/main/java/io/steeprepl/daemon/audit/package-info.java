/** What the daemon did and saw, kept until the database can take it. */
@NullMarked
package io.steeprepl.daemon.audit;

import org.jspecify.annotations.NullMarked;
