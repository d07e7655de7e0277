package io.steeprepl.it.history;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The tables of the histories; the name of a constant, in lower case, is the table's. */
enum Shape {
    /** A secondary unique index. */
    ITEM(true, "u", "ADD UNIQUE (u)"),
    ITEM_KEYED(false, "u", "ADD UNIQUE (u)"),
    /** Apply workers do not enforce it. */
    DEFERRED(true, "u", "ADD UNIQUE (u) DEFERRABLE"),
    /** Values that differ may clash. */
    FOLDED(true, "lower(u)", ""),
    PLAIN(true, "NULL", ""),
    PLAIN_KEYED(false, "NULL", ""),
    /** A value that lies outside of the row, and that most updates leave alone; a compressed one would stay in the row. */
    WIDE(true, "NULL", "ADD COLUMN wide text STORAGE EXTERNAL"),
    /** A key change may lead into another partition. */
    PARTED(true, "NULL", ""),
    /** Not the latest write stands. */
    EARLIEST(true, "NULL", ""),
    PREFERRED(true, "NULL", ""),
    /** What both sides add to a number counts, each column stays as its last writer left it. */
    MERGED(true, "NULL", "ADD COLUMN n bigint NOT NULL DEFAULT 0"),
    /** The later row stays, but for its number, which is the sum. */
    SUMMED(true, "NULL", "ADD COLUMN n bigint NOT NULL DEFAULT 0"),
    /** The same, as a function makes it. */
    JOINED(true, "NULL", "ADD COLUMN n bigint NOT NULL DEFAULT 0");

    /** What JOINED needs on all nodes. */
    static final String RESOLVER =
            "CREATE FUNCTION joined(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS"
                    + " $$ SELECT remote || jsonb_build_object('n', (local->>'n')::bigint + (remote->>'n')::bigint - (base->>'n')::bigint) $$";

    private final boolean beforeImages;
    private final String unique;
    private final String alteration;

    Shape(boolean beforeImages, String unique, String alteration) {
        this.beforeImages = beforeImages;
        this.unique = unique;
        this.alteration = alteration;
    }

    /** Those with, or without, before-images; {@code history.strategies}: those under other strategies, too, not at all, or only those. */
    static List<Shape> of(boolean beforeImages) {
        String strategies = System.getProperty("history.strategies", "true");
        return Arrays.stream(values())
                .filter(shape -> strategies.equals("only")
                        ? shape.strategy().isPresent()
                        : shape.beforeImages == beforeImages
                                && (strategies.equals("true")
                                        || shape.strategy().isEmpty()))
                .toList();
    }

    String table() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The expression that has to be unique; NULL when there is none. */
    String unique() {
        return unique;
    }

    boolean hasUnique() {
        return !unique.equals("NULL");
    }

    boolean toasted() {
        return this == WIDE;
    }

    /** Its rows are folds of their changes. */
    boolean folds() {
        return this == MERGED || this == SUMMED || this == JOINED;
    }

    /** An earlier write may stay. */
    boolean provisional() {
        return this == EARLIEST || this == PREFERRED;
    }

    /** The statements that make it. */
    String create() {
        String columns = "(id int PRIMARY KEY, u text, note text, write_id bigint NOT NULL, read_id bigint)";
        return "CREATE TABLE " + table() + columns
                + switch (this) {
                    case PARTED ->
                        " PARTITION BY HASH (id); CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
                                + " CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1)";
                    case FOLDED -> "; CREATE UNIQUE INDEX folded_u ON folded (lower(u)) WHERE u IS NOT NULL";
                    case PLAIN, PLAIN_KEYED, EARLIEST, PREFERRED -> "";
                    case ITEM, ITEM_KEYED, DEFERRED, WIDE, MERGED, SUMMED, JOINED ->
                        "; ALTER TABLE " + table() + " " + alteration;
                };
    }

    String add() {
        return "SELECT steep_repl.add_table('" + table() + "', before_images => " + beforeImages + ")";
    }

    /** The nodes whose writes stay, the first before all. */
    List<String> priority() {
        return this == PREFERRED ? List.of("b", "a") : List.of();
    }

    /** Its strategy, as arguments of set_conflict_strategy. */
    Optional<String> strategy() {
        return switch (this) {
            case EARLIEST -> Optional.of("'first_write_wins'");
            case PREFERRED -> Optional.of("'node_priority', priority => '{" + String.join(",", priority()) + "}'");
            case MERGED -> Optional.of("'column_merge', delta_columns => '{n}'");
            case SUMMED -> Optional.of("'last_write_wins', delta_columns => '{n}'");
            case JOINED -> Optional.of("'function', resolver => 'public.joined'");
            default -> Optional.empty();
        };
    }
}
