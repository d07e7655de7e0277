package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Json;
import io.steeprepl.cli.output.Output;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the demo found.
 *
 * @param offices who wrote
 * @param join the copy to the second office
 * @param length how long they wrote
 * @param mostQueued the longest queue seen meanwhile, in bytes
 * @param drained how long they took to catch up when the writing had stopped
 * @param proofs each table, compared
 * @param total the time since the start of the demo
 */
record Result(
        List<Office> offices,
        Join join,
        Duration length,
        long mostQueued,
        Duration drained,
        List<Proof> proofs,
        Duration total) {
    boolean equal() {
        return proofs.stream().allMatch(Proof::equal);
    }

    /** Prints it; {@code kept} are the servers if they stay. */
    void print(Output out, @Nullable DemoNodes kept) {
        if (out.json()) {
            out.document(Json.write(document(kept)));
            return;
        }
        out.list(Proof.COLUMNS, proofs, "");
        out.text("\n" + verdict() + "\n");
        if (kept != null) {
            out.text(howToGoOn(kept));
        } else {
            out.note("Run it with --keep to go on with both servers.");
        }
    }

    private String verdict() {
        if (!equal()) {
            return "DIFFERENT: the databases do not hold the same rows. This must not happen; please report it.";
        }
        return "EQUAL: both hold the same %,d rows, after %,d written in %d seconds on both sides. All took %s."
                .formatted(
                        proofs.stream().mapToLong(Proof::rows).sum(),
                        offices.stream().mapToLong(o -> o.rows().sum()).sum(),
                        length.toSeconds(),
                        Wait.text(total));
    }

    private String howToGoOn(DemoNodes kept) {
        var text =
                new StringBuilder("\nBoth servers are running. Change a row in one and look at it in the other:\n\n");
        offices.forEach(o -> text.append("  psql ")
                .append(o.node().uri())
                .append("    # ")
                .append(o)
                .append('\n'));
        return text.append("\n  UPDATE shop.customers SET city = 'Oslo' WHERE id = 1;\n")
                .append("  SELECT * FROM steep_repl.subscription_status();\n\nStop and remove them:\n\n  ")
                .append(kept.stopCommand())
                .append('\n')
                .toString();
    }

    private Map<String, @Nullable Object> document(@Nullable DemoNodes kept) {
        var document = new LinkedHashMap<String, @Nullable Object>();
        document.put("equal", equal());
        document.put("copied_rows", join.rows());
        document.put("copy_seconds", seconds(join.time()));
        document.put("writing_seconds", seconds(length));
        document.put("offices", offices.stream().map(Result::office).toList());
        document.put("most_queued_bytes", mostQueued);
        document.put("drain_seconds", seconds(drained));
        document.put("tables", proofs.stream().map(Result::table).toList());
        document.put("total_seconds", seconds(total));
        document.put("dir", kept == null ? null : kept.dir().toString());
        return document;
    }

    private static Map<String, Object> office(Office office) {
        var object = new LinkedHashMap<String, Object>();
        object.put("node_id", office.node().id());
        object.put("name", office.name());
        object.put("uri", office.node().uri());
        object.put("transactions", office.transactions().sum());
        object.put("rows_written", office.rows().sum());
        return object;
    }

    private static Map<String, @Nullable Object> table(Proof proof) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        Proof.COLUMNS.forEach(c -> object.put(c.name(), c.value().apply(proof)));
        return object;
    }

    private static double seconds(Duration time) {
        return time.toMillis() / 1000.0;
    }
}
