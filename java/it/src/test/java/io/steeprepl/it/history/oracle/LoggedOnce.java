package io.steeprepl.it.history.oracle;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A node logs a conflict once, and no other one under its identity. */
final class LoggedOnce implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        return evidence.log().stream()
                .collect(Collectors.groupingBy(e -> e.node() + " " + e.identity()))
                .values()
                .stream()
                .filter(twins -> twins.size() > 1)
                .map(LoggedOnce::violation)
                .toList();
    }

    private static Violation violation(List<Entry> twins) {
        boolean same = twins.stream()
                        .map(e -> List.of(e.type(), e.local(), e.remote(), Optional.ofNullable(e.base())))
                        .distinct()
                        .count()
                < twins.size();
        return new Violation(
                same ? "TWICE" : "SAME-IDENTITY",
                "on " + twins.getFirst().node() + " "
                        + (same ? "one conflict is logged as " : "other conflicts have one identity: ")
                        + twins.stream().map(Entry::id).toList(),
                twins.stream().map(Entry::key).filter(Objects::nonNull).collect(Collectors.toSet()));
    }

    static Set<Integer> keys(Entry entry) {
        return entry.key() == null ? Set.of() : Set.of(entry.key());
    }
}
