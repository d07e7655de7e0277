package io.steeprepl.it.conflict;

import java.util.stream.Stream;

/**
 * A conflict of two writes that the logs must have, rows as in {@link Entry}.
 *
 * @param earlier what the earlier write made of the row, as it arrives at the other node
 * @param earlierHere what its own node has of it when the later one arrives
 * @param later what the later write made of the row, as it arrives
 * @param laterHere what its own node has of it
 * @param base what the later write had seen
 * @param earlierBase what the earlier write had seen
 * @param seen who of the two logs it
 */
record Conflict(
        String type,
        String earlier,
        String earlierHere,
        String later,
        String laterHere,
        String base,
        String earlierBase,
        Seen seen) {
    enum Seen {
        BY_BOTH,
        BY_THE_EARLIER,
        BY_THE_LATER
    }

    static Conflict of(String type) {
        return new Conflict(type, "-", "-", "-", "-", "-", "-", Seen.BY_BOTH);
    }

    Conflict earlier(String row) {
        return new Conflict(type, row, row, later, laterHere, base, earlierBase, seen);
    }

    /** The earlier write moved the row away: its own node has none under the key. */
    Conflict earlierMoved(String row) {
        return new Conflict(type, row, "-", later, laterHere, base, earlierBase, seen);
    }

    Conflict later(String row) {
        return new Conflict(type, earlier, earlierHere, row, row, base, earlierBase, seen);
    }

    /** The later write moved the row away. */
    Conflict laterMoved(String row) {
        return new Conflict(type, earlier, earlierHere, row, "-", base, earlierBase, seen);
    }

    /** What both had seen. */
    Conflict base(String row) {
        return new Conflict(type, earlier, earlierHere, later, laterHere, row, row, seen);
    }

    Conflict earlierBase(String row) {
        return new Conflict(type, earlier, earlierHere, later, laterHere, base, row, seen);
    }

    Conflict seen(Seen by) {
        return new Conflict(type, earlier, earlierHere, later, laterHere, base, earlierBase, by);
    }

    /** Where the earlier write was made, the later one arrives and wins. */
    Stream<String> asSeenByTheEarlier(String first, String second) {
        return seen == Seen.BY_THE_LATER
                ? Stream.empty()
                : Stream.of("%s here %s of %s, arrived %s of %s, base %s: remote APPLIED_REMOTE"
                        .formatted(type, earlierHere, first, later, second, base));
    }

    /** Where the later write was made, the earlier one arrives and loses. */
    Stream<String> asSeenByTheLater(String first, String second) {
        return seen == Seen.BY_THE_EARLIER
                ? Stream.empty()
                : Stream.of("%s here %s of %s, arrived %s of %s, base %s: local KEPT_LOCAL"
                        .formatted(type, laterHere, second, earlier, first, earlierBase));
    }
}
