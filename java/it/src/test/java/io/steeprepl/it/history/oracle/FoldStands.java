package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Rows that are folds, and were inserted once and only updated since: the number {@code n} is the sum of all that was added to
 * it; each other column is as its last writer left it, or the latest write's as a whole.
 */
final class FoldStands implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        List<Violation> violations = new ArrayList<>();
        evidence.folded().forEach((table, byColumn) -> {
            Map<Integer, List<Write>> byKey = evidence.writes().stream()
                    .filter(w -> w.table().equals(table) && w.after() != null)
                    .sorted(Comparator.comparing(Write::time)
                            .thenComparing(Write::node)
                            .thenComparingInt(Write::ordinal))
                    .collect(Collectors.groupingBy(Write::after));
            byKey.forEach((key, writes) -> {
                if (writes.stream().filter(w -> w.kind() == Write.Kind.INSERT).count() != 1) {
                    return;
                }
                Map<String, String> expected = fold(writes, byColumn);
                evidence.rows().forEach((node, rows) -> {
                    String held = rows.stream()
                            .filter(r -> r.table().equals(table) && r.key() == key)
                            .map(Row::text)
                            .findFirst()
                            .orElse("no row");
                    if (!Texts.columns(held).equals(expected)) {
                        violations.add(new Violation(
                                "NOT-FOLDED",
                                "on " + node + " " + table + " " + key + " is " + held + ", its writes make "
                                        + expected,
                                Set.of(key)));
                    }
                });
            });
        });
        return violations;
    }

    private static Map<String, String> fold(List<Write> writes, boolean byColumn) {
        Map<String, String> row = new HashMap<>();
        long sum = 0;
        for (Write write : writes) {
            Map<String, String> was = Texts.columns(String.valueOf(write.was()));
            Map<String, String> is = Texts.columns(String.valueOf(write.row()));
            sum += number(is) - number(was);
            is.forEach((column, value) -> {
                if (!byColumn || !value.equals(was.get(column))) {
                    row.put(column, value);
                }
            });
        }
        row.put("n", Long.toString(sum));
        return row;
    }

    private static long number(Map<String, String> row) {
        return Long.parseLong(row.getOrDefault("n", "0"));
    }
}
