package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Each row is one that was written, as a whole: not a mixture of two, and no unwritten one. */
final class WholeRows implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        Map<Long, Write> writes = evidence.byId();
        List<Violation> violations = new ArrayList<>();
        evidence.rows().forEach((node, rows) -> {
            for (Row row : rows.stream()
                    .filter(r -> !evidence.folded().containsKey(r.table()))
                    .toList()) {
                Write write = writes.get(row.write());
                String where = row.table() + " " + row.key() + " on " + node + ": " + Texts.brief(row.text());
                if (write == null) {
                    violations.add(new Violation("UNWRITTEN", where + " was never committed", Set.of(row.key())));
                } else if (!row.text().equals(write.row())) {
                    violations.add(new Violation(
                            "MIXED",
                            where + " is not what was written: " + Texts.brief(String.valueOf(write.row())),
                            Set.of(row.key())));
                }
            }
        });
        return violations;
    }
}
