/** What commands print: tables for people, JSON for programs, errors; with everything from the database made harmless for the terminal. */
@NullMarked
package io.steeprepl.cli.output;

import org.jspecify.annotations.NullMarked;
