package io.steeprepl.it.history.oracle;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** A node logs a conflict once. */
final class LoggedOnce implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        return evidence.log().stream()
                .collect(Collectors.groupingBy(e -> e.node() + " " + e.identity()))
                .values()
                .stream()
                .filter(twins -> twins.size() > 1)
                .map(twins -> new Violation(
                        "TWICE",
                        "on " + twins.getFirst().node() + " one conflict is logged as "
                                + twins.stream().map(Entry::id).toList(),
                        twins.stream()
                                .map(Entry::key)
                                .filter(java.util.Objects::nonNull)
                                .collect(Collectors.toSet())))
                .toList();
    }

    static Set<Integer> keys(Entry entry) {
        return entry.key() == null ? Set.of() : Set.of(entry.key());
    }
}
