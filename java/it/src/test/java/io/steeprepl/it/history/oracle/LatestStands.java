package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Under each key stands what the latest write made of it, by commit time and then node. Only the row of a key change may be
 * gone, when it is logged: its row was written elsewhere too, and stays there.
 */
final class LatestStands implements Rule {
    private static final Comparator<Write> VERSION =
            Comparator.comparing(Write::time).thenComparing(Write::node).thenComparingInt(Write::ordinal);

    @Override
    public List<Violation> check(Evidence evidence) {
        List<Violation> violations = new ArrayList<>();
        for (String table : evidence.ordered()) {
            List<Write> writes = evidence.writes().stream()
                    .filter(w -> w.table().equals(table))
                    .toList();
            Set<Integer> keys = new TreeSet<>();
            writes.forEach(w -> {
                if (w.before() != null) {
                    keys.add(w.before());
                }
                if (w.after() != null) {
                    keys.add(w.after());
                }
            });
            evidence.rows().forEach((node, rows) -> {
                Map<Integer, Row> held = rows.stream()
                        .filter(r -> r.table().equals(table))
                        .collect(Collectors.toMap(Row::key, Function.identity(), (one, other) -> one));
                for (int key : keys) {
                    writes.stream()
                            .filter(w -> w.touches(key))
                            .max(VERSION)
                            .filter(latest -> !stands(latest, key, held, evidence))
                            .ifPresent(latest -> violations.add(new Violation(
                                    "NOT-LATEST",
                                    "on " + node + " " + table + " " + key + " is "
                                            + Optional.ofNullable(held.get(key))
                                                    .map(r -> "that of write " + r.write())
                                                    .orElse("gone")
                                            + ", the latest is " + latest,
                                    Set.of(key))));
                }
            });
        }
        return violations;
    }

    private static boolean stands(Write latest, int key, Map<Integer, Row> held, Evidence evidence) {
        Row row = held.get(key);
        if (row == null && truncated(latest, evidence)) {
            return true;
        }
        if (!Objects.equals(latest.after(), key)) {
            return row == null;
        }
        return row != null ? row.write() == latest.id() : removedAsDouble(latest, evidence);
    }

    /** Of two equal times the later node's counts, as for writes. */
    private static boolean truncated(Write latest, Evidence evidence) {
        return evidence.truncations().stream()
                .filter(t -> t.table().equals(latest.table()))
                .anyMatch(t -> t.time().isAfter(latest.time())
                        || (t.time().equals(latest.time()) && t.node().compareTo(latest.node()) > 0));
    }

    private static boolean removedAsDouble(Write latest, Evidence evidence) {
        return evidence.log().stream()
                .filter(e -> e.type().equals("KEY-UPDATE"))
                .flatMap(Entry::losers)
                .anyMatch(side -> Objects.equals(side.write(), latest.id()));
    }
}
