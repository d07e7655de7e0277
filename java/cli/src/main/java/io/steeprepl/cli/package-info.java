/**
 * The command line: the root command with the options that all share, exit codes, errors, interruption. Each noun has a
 * package of its own with one class a command, which parses, makes a call of the api and prints.
 *
 * <p>Does not belong here: SQL, decisions.
 */
@NullMarked
package io.steeprepl.cli;

import org.jspecify.annotations.NullMarked;
