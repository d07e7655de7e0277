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
 * @param before each table, compared then
 * @param outage what both wrote while they were cut off from each other, and what became of it
 * @param policies what became of a stock that adds up, and of an order that was decided by hand
 * @param ids which ids of orders each office had, and handed out
 * @param proofs each table, compared at the end
 * @param total the time since the start of the demo
 */
record Result(
        List<Office> offices,
        Join join,
        Duration length,
        long mostQueued,
        Duration drained,
        List<Proof> before,
        Outage outage,
        Policies policies,
        OrderIds ids,
        List<Proof> proofs,
        Duration total) {
    boolean equal() {
        return before.stream().allMatch(Proof::equal) && proofs.stream().allMatch(Proof::equal);
    }

    /** Whether the tables are equal, every conflict was decided as it must be and is proven, and no id was handed out by the wrong office. */
    boolean right() {
        return equal() && outage.right() && policies.right() && ids.right();
    }

    /** Prints it; {@code kept} are the servers if they stay. */
    void print(Output out, @Nullable DemoNodes kept) {
        if (out.json()) {
            out.document(Json.write(document(kept)));
            return;
        }
        out.note("\nEach conflict, as both offices logged it:");
        for (int i = 0; i < outage.cases().size(); i++) {
            CaseText.print(i + 1, outage.cases().get(i), out);
        }
        out.text(policies.text());
        ids.print(7, out);
        out.text("\n");
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
        if (!outage.right() || !policies.right()) {
            return "NOT PROVEN: the tables are equal, but a conflict was not decided as it must be; please report it.";
        }
        if (!ids.right()) {
            return "WRONG IDS: an office handed out an id that is not its own. This must not happen; please report it.";
        }
        return ("EQUAL: both hold the same %,d rows, after %,d written in %d seconds on both sides and two cuts of the network.\n"
                        + "%d conflicts, all decided alike on both sides and proven %s after the network was back."
                        + " All took %s.")
                .formatted(
                        Proof.rows(proofs),
                        offices.stream().mapToLong(o -> o.rows().sum()).sum(),
                        length.toSeconds(),
                        outage.cases().size(),
                        Wait.text(outage.proven()),
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
        text.append("\n  UPDATE shop.customers SET city = 'Oslo' WHERE id = 1;\n")
                .append("  SELECT * FROM steep_repl.subscription_status();\n\nLook into the conflicts:\n\n");
        String uri = offices.getFirst().node().uri();
        return text.append("  steep-repl conflict list -c ")
                .append(uri)
                .append("\n  steep-repl conflict show 1 -c ")
                .append(uri)
                .append("\n\nStop and remove them:\n\n  ")
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
        document.put("proven", outage.right());
        document.put("prove_seconds", seconds(outage.proven()));
        document.put(
                "conflicts", outage.cases().stream().map(CaseText::document).toList());
        document.put("policies", policiesDocument());
        document.put("ids", ids.document());
        document.put("tables_before_cut", before.stream().map(Result::table).toList());
        document.put("tables", proofs.stream().map(Result::table).toList());
        document.put("total_seconds", seconds(total));
        document.put("dir", kept == null ? null : kept.dir().toString());
        return document;
    }

    private Map<String, Object> policiesDocument() {
        var object = new LinkedHashMap<String, Object>();
        object.put("stock", policies.stock());
        object.put("undecided", policies.undecided());
        object.put("resolved", policies.resolved());
        object.put("reverted", policies.reverted());
        object.put("right", policies.right());
        return object;
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
