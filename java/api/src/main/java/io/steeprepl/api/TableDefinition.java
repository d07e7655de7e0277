package io.steeprepl.api;

/**
 * What a table is.
 *
 * @param fingerprint SHA-256 of the definition as the server writes it
 * @param definition a JSON object
 */
public record TableDefinition(
        String tableSchema, String tableName, String fingerprint, int columnCount, String definition) {}
