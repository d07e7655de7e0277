package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Column;
import java.util.List;

/**
 * A table on both sides.
 *
 * @param table its name
 * @param north row count and hash of all rows there, as the extension gives them
 * @param south likewise
 */
record Proof(String table, String north, String south) {
    /** How it is printed. */
    static final List<Column<Proof>> COLUMNS = List.of(
            Column.of("table", Proof::table),
            Column.of("rows_north", p -> rows(p.north)),
            Column.of("rows_south", p -> rows(p.south)),
            Column.of("hash_north", p -> hash(p.north)),
            Column.of("hash_south", p -> hash(p.south)),
            Column.of("equal", Proof::equal));

    /** Counts and hashes a table on both sides. */
    static Proof of(String table, Office north, Office south) {
        String name = Shop.SCHEMA + "." + table;
        return new Proof(table, north.node().contents(name), south.node().contents(name));
    }

    boolean equal() {
        return north.equals(south);
    }

    /** How many rows the first side has in all tables. */
    static long rows(List<Proof> proofs) {
        return proofs.stream().mapToLong(p -> rows(p.north)).sum();
    }

    private static long rows(String contents) {
        return Long.parseLong(contents.substring(0, contents.indexOf('/')));
    }

    /** Both halves of the hash folded into a word that fits on a line twice; they are compared whole. */
    private static String hash(String contents) {
        long mixed = 0;
        for (String half : contents.substring(contents.indexOf('/') + 1).split("/", -1)) {
            mixed = 0x9E3779B97F4A7C15L * mixed + new java.math.BigInteger(half).longValue();
        }
        return "%012x".formatted(mixed >>> 16);
    }
}
