package io.steeprepl.daemon.grpc;

import java.util.Collection;
import java.util.function.Supplier;

/**
 * Who is let in, and what for.
 *
 * @param nodes the ids of the nodes that are registered and not removed; none as long as the registry has not been read
 * @param allowed names that are let in beside them, and may do everything
 * @param readers names that are let in beside them, and may read as they do
 */
public record Members(
        Supplier<? extends Collection<String>> nodes,
        Supplier<? extends Collection<String>> allowed,
        Supplier<? extends Collection<String>> readers) {
    /** What becomes of somebody. */
    enum Verdict {
        /** Whom the file names. Also a node: the key of one gives no power over the others, unless somebody wants that. */
        ALLOWED,
        /** A node, or whom the file names as a reader. */
        READER,
        REFUSED,
        /** Nobody can say yet. */
        UNKNOWN
    }

    Verdict judge(String name) {
        if (allowed.get().contains(name)) {
            return Verdict.ALLOWED;
        }
        Collection<String> known = nodes.get();
        if (known.contains(name) || readers.get().contains(name)) {
            return Verdict.READER;
        }
        return known.isEmpty() ? Verdict.UNKNOWN : Verdict.REFUSED;
    }
}
