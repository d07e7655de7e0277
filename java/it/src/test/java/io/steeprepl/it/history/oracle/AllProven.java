package io.steeprepl.it.history.oracle;

import java.util.List;

/** Each conflict is decided, and proven on all nodes. A row under two keys may be left to a person. */
final class AllProven implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        return evidence.log().stream()
                .filter(e -> !e.type().equals("KEY-UPDATE") || !e.isPending())
                .filter(e -> !e.proven() || e.isPending())
                .map(e -> new Violation(
                        "UNPROVEN",
                        "on " + e.node() + " entry " + e.id() + " (" + e.type() + " " + e.table() + " " + e.key()
                                + "): " + e.resolution() + ", " + (e.proven() ? "proven" : "not proven: " + e.reason()),
                        LoggedOnce.keys(e)))
                .toList();
    }
}
