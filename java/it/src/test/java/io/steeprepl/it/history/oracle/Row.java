package io.steeprepl.it.history.oracle;

import org.jspecify.annotations.Nullable;

/**
 * A row that a node holds.
 *
 * @param unique the value of the column with the unique index, null when there is none or it is null
 * @param text the whole row as jsonb text
 * @param version commit time and origin as the node knows them, for the reader of a report
 */
public record Row(String table, int key, @Nullable String unique, long write, String text, String version) {}
