package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Where an earlier write may stay, and two nodes have changed or inserted one row without seeing each other, and nobody has
 * touched it since: there stands what the strategy says. Of longer quarrels only their proof knows how they end.
 */
final class StrategyStands implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        List<Violation> violations = new ArrayList<>();
        evidence.provisional().forEach((table, priority) -> {
            Set<Integer> keys = new TreeSet<>();
            evidence.writes().stream()
                    .filter(w -> w.table().equals(table) && w.after() != null)
                    .forEach(w -> keys.add(w.after()));
            for (int key : keys) {
                pair(table, key, evidence)
                        .map(pair -> winner(pair, priority))
                        .ifPresent(winner -> evidence.rows().forEach((node, rows) -> {
                            if (rows.stream()
                                    .noneMatch(r ->
                                            r.table().equals(table) && r.key() == key && r.write() == winner.id())) {
                                violations.add(new Violation(
                                        "NOT-BY-STRATEGY",
                                        "on " + node + " " + table + " " + key + " is not that of " + winner,
                                        Set.of(key)));
                            }
                        }));
            }
        });
        return violations;
    }

    /** The two writes that the strategy has to decide between, when there are no others since all had the same. */
    static Optional<List<Write>> pair(String table, int key, Evidence evidence) {
        List<Write> writes = evidence.writes().stream()
                .filter(w -> w.table().equals(table) && w.touches(key))
                .toList();
        int epoch = writes.stream().mapToInt(Write::epoch).max().orElse(0);
        List<Write> last = writes.stream().filter(w -> w.epoch() == epoch).toList();
        if (last.size() != 2 || last.getFirst().node().equals(last.getLast().node())) {
            return Optional.empty();
        }
        boolean plain = last.stream().allMatch(w -> w.kind() == Write.Kind.UPDATE || w.kind() == Write.Kind.INSERT)
                && last.getFirst().kind() == last.getLast().kind()
                && Objects.equals(last.getFirst().read(), last.getLast().read());
        // A truncation takes what it had not seen; an older quarrel may have ended only now.
        boolean truncated = evidence.truncations().stream()
                .anyMatch(t -> t.table().equals(table)
                        && last.stream().anyMatch(w -> !t.time().isBefore(w.time())));
        boolean older = evidence.log().stream()
                .filter(e -> e.table().equals(table) && Objects.equals(e.key(), key))
                .flatMap(e -> Stream.of(e.local(), e.remote()))
                .anyMatch(side -> last.stream().noneMatch(w -> Objects.equals(side.write(), w.id())));
        return plain && !truncated && !older ? Optional.of(last) : Optional.empty();
    }

    private static Write winner(List<Write> pair, List<String> priority) {
        Comparator<Write> version = Comparator.comparing(Write::time).thenComparing(Write::node);
        Comparator<Write> rank = Comparator.comparingInt(
                w -> priority.contains(w.node()) ? priority.indexOf(w.node()) : priority.size());
        return pair.stream()
                .min(priority.isEmpty() ? version : rank.thenComparing(version.reversed()))
                .orElseThrow();
    }
}
