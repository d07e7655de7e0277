package io.steeprepl.daemon.grpc;

import java.util.Collection;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Who is let in.
 *
 * @param nodes the ids of the nodes that are registered and not removed; none as long as the registry has not been read
 * @param allowed names that are let in beside them
 */
public record Members(Supplier<? extends Collection<String>> nodes, Supplier<? extends Collection<String>> allowed) {
    /** What becomes of somebody. */
    enum Verdict {
        LET_IN,
        REFUSED,
        /** Nobody can say yet. */
        UNKNOWN
    }

    Verdict judge(Set<String> names) {
        Collection<String> known = nodes.get();
        Collection<String> others = allowed.get();
        if (names.stream().anyMatch(name -> known.contains(name) || others.contains(name))) {
            return Verdict.LET_IN;
        }
        return known.isEmpty() ? Verdict.UNKNOWN : Verdict.REFUSED;
    }
}
