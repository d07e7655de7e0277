/**
 * How a user says which server is meant, by libpq's rules: URIs, conninfo strings, services, the PG* environment,
 * password files; and how that becomes a JDBC connection.
 *
 * <p>Belongs here: everything that psql would do before the first query. Does not: queries.
 */
@NullMarked
package io.steeprepl.direct.connection;

import org.jspecify.annotations.NullMarked;
