package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** No two rows of a node have the same key, nor the same value in the column with the unique index. */
final class UniqueValues implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        List<Violation> violations = new ArrayList<>();
        evidence.rows().forEach((node, rows) -> {
            Map<String, Row> first = new HashMap<>();
            for (Row row : rows) {
                twice(node, first.putIfAbsent(row.table() + " key " + row.key(), row), row, violations);
                if (row.unique() != null) {
                    twice(node, first.putIfAbsent(row.table() + " value " + row.unique(), row), row, violations);
                }
            }
        });
        return violations;
    }

    private static void twice(String node, @Nullable Row one, Row other, List<Violation> violations) {
        if (one != null) {
            violations.add(new Violation(
                    "NOT-UNIQUE",
                    "on " + node + " stand " + Texts.brief(one.text()) + " and " + Texts.brief(other.text()),
                    new TreeSet<>(List.of(one.key(), other.key()))));
        }
    }
}
