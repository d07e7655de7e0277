package io.steeprepl.it.history;

import io.steeprepl.it.history.oracle.Evidence;
import io.steeprepl.it.history.oracle.Oracle;
import io.steeprepl.it.history.oracle.Violation;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The end of a history: waits until the nodes have settled, and lets the oracle judge. */
final class Ending {
    private final Mesh mesh;
    private final Drain drain;
    private final Duration patience;
    private final Set<String> ignore;
    private final boolean truncates;
    private final Collector collector;

    Ending(Mesh mesh, Drain drain, Options options) {
        this.mesh = mesh;
        this.drain = drain;
        this.patience = options.patience();
        this.ignore = options.ignore();
        this.truncates = options.truncate();
        this.collector = new Collector(mesh);
    }

    /** What a history came to. */
    record Verdict(List<Violation> violations, Evidence evidence) {}

    /** Looks until no rule is broken any more, or patience ends. */
    Verdict judge(Run run) throws SQLException {
        List<Violation> violations = new ArrayList<>();
        if (!drain.within(patience)) {
            violations.add(new Violation("STALLED", "not all streams have drained: " + mesh.state(), Set.of()));
        }
        var writes = collector.writes(run.attempts());
        Instant deadline = Instant.now().plus(violations.isEmpty() ? patience : Duration.ZERO);
        while (true) {
            Evidence evidence = collector.evidence(run, writes);
            List<Violation> broken = counted(Oracle.judge(evidence));
            if (broken.isEmpty() || Instant.now().isAfter(deadline)) {
                violations.addAll(broken);
                return new Verdict(violations, evidence);
            }
            Pause.briefly();
        }
    }

    /**
     * Looks until all conflicts of a history that has been judged are proven, and its rows are still as they were, unless
     * later histories truncate its tables.
     */
    Verdict judgeProofs(Run run) throws SQLException {
        var writes = collector.writes(run.attempts());
        Instant deadline = Instant.now().plus(patience);
        while (true) {
            Evidence evidence = collector.evidence(run, writes);
            List<Violation> broken = new ArrayList<>(Oracle.judgeProofs(evidence));
            if (!truncates) {
                broken.addAll(Oracle.judge(evidence));
            }
            broken = counted(broken);
            if (broken.isEmpty() || Instant.now().isAfter(deadline)) {
                return new Verdict(broken, evidence);
            }
            Pause.briefly();
        }
    }

    /** The tables whose contents differ between nodes, all histories together. */
    List<String> unequalTables() throws SQLException {
        List<String> unequal = new ArrayList<>();
        for (Shape shape : Shape.values()) {
            Set<String> contents = new TreeSet<>();
            for (int i = 0; i < mesh.size(); i++) {
                contents.add(mesh.node(i).contents(shape.table()));
            }
            if (contents.size() > 1) {
                unequal.add(shape.table() + " " + contents);
            }
        }
        return unequal;
    }

    private List<Violation> counted(List<Violation> violations) {
        return violations.stream().filter(v -> !ignore.contains(v.rule())).toList();
    }
}
