package io.steeprepl.cli.demo;

import io.steeprepl.cli.output.Output;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The line between the offices is cut, both go on, and it is mended.
 *
 * @param cases what became of each thing that both had changed
 * @param proven how long it took from the mending until all conflicts were proven
 * @param logged how many entries the logs of both have
 */
record Outage(List<Case> cases, Duration proven, int logged) {
    /** What the offices do while they are cut off from each other. */
    static void act(Office north, Office south, Output out) {
        for (Scene scene : Scene.ALL) {
            out.note("  " + scene.title());
            for (Scene.Act act : List.of(scene.first(), scene.second())) {
                Office who = act.south() ? south : north;
                who.node().execute(act.sql());
                out.note("      %-6s %s".formatted(who, act.words()));
            }
        }
    }

    /** Waits until both have what the other wrote, and every conflict is logged and proven. */
    static Outage settle(Office north, Office south, Rush rush, long mended) {
        rush.drain();
        // The next poll may find the log longer: an entry counts only if nothing is open beside it.
        Wait.until(
                () -> cases(north, south).stream().allMatch(Case::proven) && open(north) + open(south) == 0,
                () -> "not proven: " + cases(north, south));
        List<Case> cases = cases(north, south);
        return new Outage(
                cases,
                Wait.since(mended),
                Entry.all(north).size() + Entry.all(south).size());
    }

    private static long open(Office office) {
        return Entry.all(office).stream().filter(e -> e.converged() == null).count();
    }

    private static List<Case> cases(Office north, Office south) {
        List<Case> cases = new ArrayList<>();
        Scene.ALL.forEach(scene -> cases.add(Case.of(scene, north, south)));
        return cases;
    }

    /** Whether all conflicts were decided as told, are proven, and no others were logged. */
    boolean right() {
        return cases.stream().allMatch(Case::right)
                && cases.stream().mapToInt(c -> c.entries().size()).sum() == logged;
    }
}
