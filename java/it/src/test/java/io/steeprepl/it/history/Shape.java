package io.steeprepl.it.history;

/** The tables of the histories; the name of a constant, in lower case, is the table's. */
enum Shape {
    /** A secondary unique index. */
    ITEM(true, true, false),
    ITEM_KEYED(true, false, false),
    PLAIN(false, true, false),
    PLAIN_KEYED(false, false, false),
    /** A value that lies outside of the row, and that most updates leave alone. */
    WIDE(false, true, true);

    private final boolean unique;
    private final boolean beforeImages;
    private final boolean toasted;

    Shape(boolean unique, boolean beforeImages, boolean toasted) {
        this.unique = unique;
        this.beforeImages = beforeImages;
        this.toasted = toasted;
    }

    String table() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    boolean unique() {
        return unique;
    }

    boolean toasted() {
        return toasted;
    }

    /** The whole definition; the long value is stored as it is, because a compressed one would stay in the row. */
    String[] create() {
        String columns = "CREATE TABLE " + table() + " (id int PRIMARY KEY, u text" + (unique ? " UNIQUE" : "")
                + ", note text, write_id bigint NOT NULL, read_id bigint" + (toasted ? ", wide text" : "") + ")";
        return toasted
                ? new String[] {columns, "ALTER TABLE " + table() + " ALTER COLUMN wide SET STORAGE EXTERNAL"}
                : new String[] {columns};
    }

    String add() {
        return "SELECT steep_repl.add_table('" + table() + "', before_images => " + beforeImages + ")";
    }
}
