package io.steeprepl.api;

import org.jspecify.annotations.Nullable;

/**
 * One thing that differs between a table here and on a peer.
 *
 * @param object what it is a thing of, such as a column
 * @param property which of its properties, null when it is the whole
 * @param local what is here, null when nothing is
 * @param remote what the peer has
 * @param difference both in a sentence
 */
public record SchemaDifference(
        String tableSchema,
        String tableName,
        String object,
        @Nullable String property,
        @Nullable String local,
        @Nullable String remote,
        String difference) {}
