package io.steeprepl.it.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.it.history.oracle.Entry;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Runs histories one after the other on the same servers, anew on fresh ones after one that failed. */
final class Histories {
    private final int nodes;
    private final Options options;
    private final List<String> failures = new ArrayList<>();
    private final SortedMap<String, Integer> conflicts = new TreeMap<>();
    private int done;
    private int writes;

    Histories(int nodes, Options options) {
        this.nodes = nodes;
        this.options = options;
    }

    void runAll() {
        while (done < options.count() && failures.size() < options.failures()) {
            try (Mesh mesh = Mesh.start(nodes);
                    Driver driver = new Driver(mesh)) {
                runOn(mesh, driver);
            } catch (SQLException e) {
                throw new IllegalStateException("seed " + (options.seed() + done), e);
            }
        }
        System.out.printf("%d histories on %d nodes, %d writes, logged conflicts %s%n", done, nodes, writes, conflicts);
        assertThat(failures).as("histories that failed").isEmpty();
    }

    /** Until one fails, or all are done. */
    private void runOn(Mesh mesh, Driver driver) throws SQLException {
        Ending ending = new Ending(mesh, driver.drain(), options);
        List<Run> unproven = new ArrayList<>();
        boolean well = true;
        while (well && done < options.count()) {
            Plan plan = Planner.plan(options.seed() + done, unproven.size(), nodes, options.truncate());
            done++;
            Run run = driver.run(plan);
            Ending.Verdict verdict = ending.judge(run);
            writes += verdict.evidence().writes().size();
            unproven.add(run);
            well = passes(mesh, run, verdict);
        }
        // Proofs take their time, and other histories do not disturb them.
        for (Run run : well ? unproven : List.<Run>of()) {
            Ending.Verdict verdict = ending.judgeProofs(run);
            verdict.evidence().log().stream().map(Entry::type).forEach(type -> conflicts.merge(type, 1, Integer::sum));
            if (!passes(mesh, run, verdict)) {
                return;
            }
        }
        if (well) {
            assertThat(ending.unequalTables()).as("tables that differ").isEmpty();
        }
    }

    private boolean passes(Mesh mesh, Run run, Ending.Verdict verdict) {
        if (verdict.violations().isEmpty()) {
            return true;
        }
        String report = Report.of(mesh, run, verdict);
        System.err.println(report + mesh.logs());
        failures.add(report.lines()
                .filter(l -> l.startsWith("VIOLATED") || l.startsWith("repeat"))
                .toList()
                .toString());
        return false;
    }
}
