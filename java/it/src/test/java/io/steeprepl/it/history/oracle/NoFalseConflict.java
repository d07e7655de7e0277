package io.steeprepl.it.history.oracle;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A write by one who had seen the other is no conflict, unless the node says that it could not tell. Rows that are folds are
 * several writes in one, under the number of the latest.
 */
final class NoFalseConflict implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        return evidence.log().stream()
                .filter(e -> !evidence.folded().containsKey(e.table())
                        && !e.possible()
                        && (seen(e.local(), e.remote(), e, evidence) || seen(e.remote(), e.local(), e, evidence)))
                .map(e -> new Violation(
                        "FALSE-CONFLICT",
                        "on " + e.node() + " entry " + e.id() + " (" + e.type() + "): one side, "
                                + name(e.local(), e.base()) + ", had seen or was seen by the other, "
                                + name(e.remote(), e.base()),
                        LoggedOnce.keys(e)))
                .toList();
    }

    /** Whether {@code later} had seen {@code earlier}: through the writes that it goes back to, or because all had. */
    private static boolean seen(Entry.Side earlier, Entry.Side later, Entry entry, Evidence evidence) {
        Map<Long, Write> writes = evidence.byId();
        // What a node holds where an earlier write may stay is provisional until it is proven, also when all has
        // arrived.
        if (!evidence.provisional().containsKey(entry.table())) {
            OptionalInt epoch = epoch(earlier, entry, evidence);
            OptionalInt after = epoch(later, entry, evidence);
            if (epoch.isPresent() && after.isPresent() && epoch.getAsInt() < after.getAsInt()) {
                return true;
            }
        }
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

    /** The epoch of a side, where it is known; a deletion is known by what it deleted. */
    private static OptionalInt epoch(Entry.Side side, Entry entry, Evidence evidence) {
        return evidence.writes().stream()
                .filter(w -> side.isDeletion()
                        ? w.read() != null && w.read().equals(entry.base()) && w.after() == null
                        : Long.valueOf(w.id()).equals(side.write()))
                .mapToInt(Write::epoch)
                .max();
    }

    private static String name(Entry.Side side, @Nullable Long base) {
        return side.isDeletion() ? "the deletion of " + base : "write " + side.write();
    }
}
