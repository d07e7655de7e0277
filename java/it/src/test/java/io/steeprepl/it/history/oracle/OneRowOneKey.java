package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A row whose key two sides changed does not stay under both keys, unless a pending conflict asks who may stay. A move between
 * partitions is a deletion and an insertion for the server: beside a change of the row it may leave it under both, and the
 * log says that a deleted row came back.
 */
final class OneRowOneKey implements Rule {
    /** The one table of the histories that has partitions. */
    static final String PARTED = "parted";

    @Override
    public List<Violation> check(Evidence evidence) {
        Map<Long, Write> writes = evidence.byId();
        List<Violation> violations = new ArrayList<>();
        evidence.rows().forEach((node, rows) -> {
            for (int i = 0; i < rows.size(); i++) {
                for (int j = i + 1; j < rows.size(); j++) {
                    Row one = rows.get(i);
                    Row other = rows.get(j);
                    Set<Long> common = new HashSet<>(Evidence.line(one.write(), writes));
                    common.retainAll(Evidence.line(other.write(), writes));
                    if (!common.isEmpty()
                            && !madeTwo(one, other, common, writes)
                            && !asked(one, other, writes, evidence)) {
                        violations.add(new Violation(
                                "DOUBLED",
                                "on " + node + " " + one.table() + " " + one.key() + " and " + other.key()
                                        + " are one row, writes " + one.write() + " and " + other.write(),
                                new TreeSet<>(List.of(one.key(), other.key()))));
                    }
                }
            }
        });
        return violations;
    }

    /**
     * Whether one transaction has written both: where it ran, both rows were to be seen before the nodes had come to one, and what
     * it wrote on each comes after that.
     */
    private static boolean madeTwo(Row one, Row other, Set<Long> common, Map<Long, Write> writes) {
        return Evidence.line(one.write(), writes).stream()
                .filter(id -> !common.contains(id))
                .map(writes::get)
                .anyMatch(x -> x != null
                        && Evidence.line(other.write(), writes).stream()
                                .filter(id -> !common.contains(id))
                                .map(writes::get)
                                .anyMatch(y -> y != null
                                        && x.node().equals(y.node())
                                        && x.time().equals(y.time())));
    }

    /** Whether the log asks, or says, about a key that the row had on its way. */
    private static boolean asked(Row one, Row other, Map<Long, Write> writes, Evidence evidence) {
        Set<Integer> keys = new HashSet<>();
        for (Row row : List.of(one, other)) {
            for (long id : Evidence.line(row.write(), writes)) {
                Write write = writes.get(id);
                if (write != null && write.after() != null) {
                    keys.add(write.after());
                }
            }
        }
        return evidence.log().stream()
                .filter(e -> e.table().equals(one.table()) && e.key() != null && keys.contains(e.key()))
                .anyMatch(e -> (e.isPending() && e.type().equals("KEY-UPDATE"))
                        // What moved away may come back as the earlier write, by a proof that knows of one key only.
                        || (evidence.provisional().containsKey(e.table())
                                && e.type().equals("KEY-UPDATE")
                                && e.possible())
                        || (e.table().equals(PARTED) && e.type().equals("UPDATE-DELETE")));
    }
}
