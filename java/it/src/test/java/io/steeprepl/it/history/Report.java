package io.steeprepl.it.history;

import io.steeprepl.it.history.oracle.Entry;
import io.steeprepl.it.history.oracle.Evidence;
import io.steeprepl.it.history.oracle.Row;
import io.steeprepl.it.history.oracle.Texts;
import io.steeprepl.it.history.oracle.Violation;
import java.util.Set;
import java.util.stream.Collectors;

/** A history that went wrong, for a reader. */
final class Report {
    private final StringBuilder text = new StringBuilder();
    private final Mesh mesh;

    private Report(Mesh mesh) {
        this.mesh = mesh;
    }

    static String of(Mesh mesh, Run run, Ending.Verdict verdict) {
        Report report = new Report(mesh);
        report.head(run.plan());
        run.events().forEach(report::event);
        Set<Integer> keys = verdict.violations().stream()
                .map(Violation::keys)
                .flatMap(Set::stream)
                .collect(Collectors.toSet());
        report.rows(verdict.evidence());
        report.log(verdict.evidence(), keys);
        report.line("");
        verdict.violations().forEach(v -> report.line("VIOLATED " + v));
        report.line(mesh.state());
        report.line("repeat: -Dhistory.seed=" + run.plan().seed() + " -Dhistory.nodes="
                + run.plan().nodes());
        return report.text.toString();
    }

    private void head(Plan plan) {
        line("history of seed " + plan.seed() + " on " + plan.nodes() + " nodes, tables "
                + plan.shapes().stream().map(Shape::table).collect(Collectors.joining(", ")));
    }

    private void event(Run.Event event) {
        String when = "%4d %7d ms ".formatted(event.step(), event.at().toMillis());
        if (!event.line().isEmpty()) {
            line(when + event.line());
        }
        for (Attempt attempt : event.attempts()) {
            line(when + mesh.node(attempt.node).id() + " " + attempt.end
                    + (attempt.committed == null ? "" : " at " + attempt.committed) + " begun at " + attempt.begun);
            attempt.lines.forEach(sql -> line("                     " + Texts.brief(sql)));
        }
    }

    private void rows(Evidence evidence) {
        evidence.rows().forEach((node, rows) -> {
            line("\nrows on " + node + " (commit time and origin as known there)");
            for (Row row : rows) {
                line("  " + row.table() + " " + Texts.brief(row.text()) + "  " + row.version());
            }
        });
    }

    private void log(Evidence evidence, Set<Integer> keys) {
        line("\nconflict_log (* about the keys below)");
        for (Entry e : evidence.log()) {
            line("%s %s #%d %s %s %s local %s remote %s base %s by %s winner %s %s%s%s"
                    .formatted(
                            keys.contains(e.key()) ? "*" : " ",
                            e.node(),
                            e.id(),
                            e.type(),
                            e.table(),
                            e.key(),
                            e.local().write(),
                            e.remote().write(),
                            e.base(),
                            e.strategy(),
                            e.winner(),
                            e.resolution(),
                            e.possible() ? " possible" : "",
                            e.proven() ? " proven" : " not proven: " + e.reason()));
        }
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
