package io.steeprepl.api;

import java.util.HexFormat;

/** A position in the write-ahead log, as bytes from its beginning (unsigned). */
public record Lsn(long value) implements Comparable<Lsn> {
    /** Reads PostgreSQL's form, two hexadecimal halves: {@code 16/B374D848}. */
    public static Lsn parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1 || slash > 8 || text.length() - slash - 1 > 8) {
            throw new IllegalArgumentException("not an LSN: " + text);
        }
        long high = HexFormat.fromHexDigitsToLong(text, 0, slash);
        long low = HexFormat.fromHexDigitsToLong(text, slash + 1, text.length());
        return new Lsn(high << 32 | low);
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    /** PostgreSQL's form. */
    @Override
    public String toString() {
        return "%X/%08X".formatted(value >>> 32, value & 0xFFFFFFFFL);
    }
}
