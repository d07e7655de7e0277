package io.steeprepl.cli.output;

/** For whom to print. */
public enum Format {
    /** For people. */
    TABLE,
    /** For programs: one document, keys in snake_case that stay. */
    JSON
}
