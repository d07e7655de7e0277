package io.steeprepl.cli.output;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where a command prints: data to standard output in the format asked for, everything else to standard error. */
public final class Output {
    private final PrintWriter out;
    private final PrintWriter err;
    private final Format format;
    private final boolean colour;
    private final Table table;

    /** Prints to {@code out} and {@code err}. */
    public Output(PrintWriter out, PrintWriter err, Format format, boolean colour) {
        this.out = out;
        this.err = err;
        this.format = format;
        this.colour = colour;
        this.table = new Table(colour);
    }

    /** Whether a program reads. */
    public boolean json() {
        return format == Format.JSON;
    }

    /** Whether what is printed as text may have colours. */
    public boolean colour() {
        return colour;
    }

    /** Rows; {@code whenNone} is said to people when there are none. */
    public <T> void list(List<Column<T>> columns, List<T> rows, String whenNone) {
        if (json()) {
            print(Json.write(
                    rows.stream().map(row -> Column.object(columns, row)).toList()));
        } else if (rows.isEmpty()) {
            note(whenNone);
        } else {
            table.rows(columns, rows).forEach(this::print);
        }
    }

    /** One thing. In JSON one object on one line, so that several calls make a stream. */
    public <T> void one(List<Column<T>> columns, T row) {
        if (json()) {
            print(Json.write(Column.object(columns, row)));
        } else {
            table.one(columns, row).forEach(this::print);
        }
    }

    /** The result of an action: a sentence for people, an object for programs. */
    public void done(String sentence, Map<String, @Nullable Object> object) {
        print(json() ? Json.write(object) : Text.sanitise(sentence));
    }

    /** A document that is JSON already. */
    public void document(String json) {
        print(json);
    }

    /** Text of ours that is data, as it is. */
    public void text(String text) {
        out.print(text);
        out.flush();
    }

    /** What the user should know but is not data. */
    public void note(String text) {
        err.println(Text.sanitiseLines(text));
        err.flush();
    }

    /** What the user should know and may not like. */
    public void warn(String text) {
        note("warning: " + text);
    }

    /** Our own control sequences and text on standard error, without a line break. */
    public void progress(String raw) {
        err.print(raw);
        err.flush();
    }

    private void print(String line) {
        out.println(line);
        out.flush();
    }
}
