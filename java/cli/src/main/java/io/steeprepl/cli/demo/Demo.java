package io.steeprepl.cli.demo;

import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.testkit.TestNode;
import java.time.Duration;
import java.util.List;

/** The demo, step by step. */
final class Demo {
    private final DemoNodes nodes;
    private final Output out;
    private final View view;

    Demo(DemoNodes nodes, Output out, View view) {
        this.nodes = nodes;
        this.out = out;
        this.view = view;
    }

    /** Runs it; both offices write for {@code length}. */
    ExitCode run(Duration length, boolean keep) {
        long begin = System.nanoTime();
        out.note("Two offices of one shop, each with a PostgreSQL database of its own that takes writes.");
        out.note("steep-repl keeps the two equal. Watch:");
        out.note("");

        List<TestNode> servers = step("Starting two PostgreSQL servers", nodes::start);
        Office north = new Office("north", servers.get(0), 1);
        Office south = new Office("south", servers.get(1), 2);
        List<Office> offices = List.of(north, south);

        long rows = step("Opening the shop in the north", () -> {
            offices.forEach(o -> o.node().execute(Shop.tables()));
            north.node().execute(Shop.rows());
            north.node().execute(Scene.BEFORE);
            return Join.rows(north);
        });
        out.note("      %d tables, %,d rows; the south has the empty tables".formatted(Shop.TABLES.size(), rows));

        try (Line line = new Line(north, south)) {
            return story(north, south, line, length, keep, begin);
        }
    }

    private ExitCode story(Office north, Office south, Line line, Duration length, boolean keep, long begin) {
        List<Office> offices = List.of(north, south);
        run("Linking the two, both ways", line::link);
        Join join = step("Replicating all tables: SELECT steep_repl.add_tables('shop')", () -> Join.of(north, south));
        out.note("      %,d rows copied to the south in %s".formatted(join.rows(), Wait.text(join.time())));
        out.note("      New ids come in ranges of %d; each office has its own".formatted(Shop.RANGE));

        out.note("\nNow both write at once for %d seconds: orders, prices, long notes.".formatted(length.toSeconds()));
        out.note("Queue: what the other side has logged and this side has still to work through.");
        out.note("Lag: how old the newest order from the other side is, as seen here.");
        out.note("");
        Rush rush = new Rush(offices, view);
        rush.run(length);
        Duration drained = rush.drain();
        out.note("\nWriting stopped; %s later each had all that the other wrote.".formatted(Wait.text(drained)));
        List<Proof> before = proofs(north, south);
        out.note(
                before.stream().allMatch(Proof::equal)
                        ? "All tables are equal: %,d rows on either side.".formatted(Proof.rows(before))
                        : "The tables DIFFER.");

        out.note("\nThen the network between the offices fails. Both go on working, each alone.");
        out.note("");
        run("Cutting all connections", line::cut);
        Outage.act(north, south, out);
        out.note("");
        long mended = System.nanoTime();
        Outage outage = step("The network is back; linking again, deciding, proving", () -> {
            line.mend();
            return Outage.settle(north, south, rush, mended);
        });
        out.note("\nTime does not suit everything: from now on stock adds up, and a person decides about orders.");
        run("Setting the strategies of both tables", () -> Policies.set(north, south));
        run("Cutting all connections once more", line::cut);
        Policies.act(north, south, out);
        Policies policies = step("The network is back; adding up, deciding by hand, taking it back", () -> {
            line.mend();
            return Policies.settle(north, south);
        });
        rush.drain();
        if (keep) {
            run("Linking the two directly, for you to go on", line::replaceByDirect);
        }
        var result = new Result(
                offices,
                join,
                length,
                rush.mostQueued(),
                drained,
                before,
                outage,
                policies,
                OrderIds.of(offices),
                proofs(north, south),
                Wait.since(begin));
        result.print(out, keep ? nodes : null);
        return result.right() ? ExitCode.OK : ExitCode.FAILED;
    }

    private static List<Proof> proofs(Office north, Office south) {
        return Shop.TABLES.stream().map(t -> Proof.of(t, north, south)).toList();
    }

    private void run(String what, Runnable action) {
        step(what, () -> {
            action.run();
            return true;
        });
    }

    private <T> T step(String what, java.util.function.Supplier<T> action) {
        long begin = System.nanoTime();
        out.progress("  " + what + " ...");
        try {
            T result = action.get();
            nodes.check();
            out.progress(" " + Wait.text(Wait.since(begin)) + "\n");
            return result;
        } catch (RuntimeException e) {
            out.progress("\n");
            throw e;
        }
    }
}
