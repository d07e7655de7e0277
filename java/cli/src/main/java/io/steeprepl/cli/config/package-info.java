/** The configuration file: read strictly, shown, compared with the database, and applied to it. */
@NullMarked
package io.steeprepl.cli.config;

import org.jspecify.annotations.NullMarked;
