package io.steeprepl.it.history.oracle;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A write by one who had seen the other is no conflict, unless the node says that it could not tell. */
final class NoFalseConflict implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        Map<Long, Write> writes = evidence.byId();
        return evidence.log().stream()
                .filter(e -> !e.possible()
                        && (seen(e.local(), e.remote(), e, writes) || seen(e.remote(), e.local(), e, writes)))
                .map(e -> new Violation(
                        "FALSE-CONFLICT",
                        "on " + e.node() + " entry " + e.id() + " (" + e.type() + "): one side, "
                                + name(e.local(), e.base()) + ", had seen or was seen by the other, "
                                + name(e.remote(), e.base()),
                        LoggedOnce.keys(e)))
                .toList();
    }

    /** Whether {@code later} had seen {@code earlier}. */
    private static boolean seen(Entry.Side earlier, Entry.Side later, Entry entry, Map<Long, Write> writes) {
        if (earlier.write() == null) {
            return false;
        }
        if (later.isDeletion()) {
            Long base = entry.base();
            return base != null
                    && (base.equals(earlier.write())
                            || Evidence.seen(base, writes).contains(earlier.write()));
        }
        return later.write() != null && Evidence.seen(later.write(), writes).contains(earlier.write());
    }

    private static String name(Entry.Side side, @Nullable Long base) {
        return side.isDeletion() ? "the deletion of " + base : "write " + side.write();
    }
}
