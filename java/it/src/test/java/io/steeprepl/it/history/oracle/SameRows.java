package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** All nodes hold the same rows. */
final class SameRows implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        Map<String, Map<String, String>> byKey = new TreeMap<>();
        Map<String, Integer> keys = new TreeMap<>();
        evidence.rows().forEach((node, rows) -> {
            for (Row row : rows) {
                String name = row.table() + " " + row.key();
                byKey.computeIfAbsent(name, n -> new TreeMap<>())
                        .merge(node, row.text(), (one, other) -> one + " and " + other);
                keys.put(name, row.key());
            }
        });
        List<Violation> violations = new ArrayList<>();
        byKey.forEach((name, held) -> {
            if (held.size() < evidence.rows().size()
                    || held.values().stream().distinct().count() > 1) {
                String text = evidence.rows().keySet().stream()
                        .map(node -> node + " has " + Texts.brief(held.getOrDefault(node, "no row")))
                        .collect(Collectors.joining(", "));
                violations.add(new Violation("DIVERGED", name + ": " + text, Set.of(keys.get(name))));
            }
        });
        return violations;
    }
}
